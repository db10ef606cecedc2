// A compiled seccomp filter beside the container that has it, for processes that come later: a profile of some hundred names takes
// longer to compile than all else that `exec` does. It counts only for the profile that stands in the file with it.
//
//   berth-seccomp 1 <bytes of the profile> <bytes of the filter>⏎ profile ⏎ filter
import { readFileSync, writeFileSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';

const HEAD = /^berth-seccomp 1 (\d+) (\d+)\n/;
const HEAD_BYTES = 64;

/** The filter of `profile` as `file` has it; else what `compile` makes, which is kept there. Throws what `compile` throws. */
export function keptFilter(file: string, profile: string, compile: () => Buffer): Buffer {
  const kept = readKept(file);
  const found = kept === undefined ? undefined : parseKept(kept, profile);
  if (found !== undefined) return found;
  const filter = compile();
  if (kept === undefined) writeFileSync(file, formatKept(profile, filter), { mode: 0o600 });
  return filter;
}

/** The content of the file. Pure. */
export function formatKept(profile: string, filter: Buffer): Buffer {
  const text = Buffer.from(profile);
  return Buffer.concat([
    Buffer.from(`berth-seccomp 1 ${text.length} ${filter.length}\n`),
    text,
    Buffer.from('\n'),
    filter,
  ]);
}

/** The filter in the content, undefined where it is for another profile, or not whole. Pure. */
export function parseKept(content: Buffer, profile: string): Buffer | undefined {
  const [head, profileBytes, filterBytes] = HEAD.exec(content.toString('latin1', 0, HEAD_BYTES)) ?? [];
  if (head === undefined) return undefined;
  const start = head.length + Number(profileBytes) + 1;
  const filter = content.subarray(start);
  if (filter.length !== Number(filterBytes)) return undefined;
  return content.subarray(head.length, start - 1).equals(Buffer.from(profile)) ? filter : undefined;
}

function readKept(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
