// What boot leaves behind: V8 keeps the garbage of loading and parsing until the heap has grown by as much again, which that of an
// idle agent never does. Collected once, it is a seventh of the agent's memory (docs/decisions/0019-collect-after-boot.md).
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { mallocTrim } from '../linux/malloc-trim.ts';

/** By then a usual boot is over. In the midst of a long one it does no harm. */
const AFTER_MS = 10_000;

/** Collect once, some seconds from now, unless disposed before. Does not keep the process running. */
export function collectAfterBoot(): Disposable {
  const timer = setTimeout(collectGarbage, AFTER_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** A full, compacting collection, and free pages back to the kernel. Blocks for about 50 ms. */
export function collectGarbage(): void {
  // Not on the command line of Node: with it, Node's own modules are compiled anew instead of read from its snapshot.
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  gc({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  mallocTrim();
}
