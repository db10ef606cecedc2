// An anonymous file with a text in it, to be some process's standard input: it can be read or not, and nobody waits.
import { constants, openSync, writeSync } from 'node:fs';

import { memfdCreate } from './memfd.ts';
import { Fd } from './fd.ts';

/** Open for reading, at its start. Throws SyscallError. */
export function memoryFile(name: string, text: string): Fd {
  using written = new Fd(memfdCreate(name));
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(written.number, bytes, done);
  return new Fd(openSync(`/proc/self/fd/${written.number}`, constants.O_RDONLY));
}
