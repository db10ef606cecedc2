// Which thread spawns a tape. Capabilities belong to threads, and a bounding set can only be dropped one capability at a time: thirty
// system calls a container. A process that starts many gives up in its main thread what containers do not get by default, once;
// what is spawned there has nothing left to drop. A container that shall have more is spawned by a thread of Node's pool, which
// keeps everything.
import { stat } from 'node:fs/promises';

import { narrowBoundingSet } from '../../linux/bounding-set.ts';
import { capabilityMask } from '../../linux/capability.ts';
import type { AssembledTape } from '../../linux/tape/assemble.ts';
import { spawnTape, spawnTapeFromPool, type SpawnOptions } from '../../linux/tape/spawn.ts';

export class Spawner {
  readonly #pool: bigint;
  #main: bigint;

  /** `bounding`: the bounding set of this process, as a mask. */
  constructor(bounding: bigint) {
    this.#pool = bounding;
    this.#main = bounding;
  }

  /** Keep only `bounding` (a mask) in the main thread, where that may be. Call it once, from there. Rejects with SyscallError. */
  async narrow(bounding: bigint): Promise<void> {
    if ((this.#pool & capabilityMask(['CAP_SETPCAP'])) === 0n) return;
    await stat('/'); // Node makes all threads of its pool at the first use of one; they inherit what the main thread has then
    narrowBoundingSet(bounding);
    this.#main &= bounding;
  }

  /** The bounding set with which a process begins that shall end up with `wanted`: what it must still drop is the rest. */
  beginsWith(wanted: bigint): bigint {
    return (wanted & this.#pool & ~this.#main) === 0n ? this.#main : this.#pool;
  }

  /** Start a tape that begins with `beginsWith(wanted)`. Returns its pid; blocks only where the main thread can spawn it. */
  spawn(tape: AssembledTape, options: SpawnOptions, wanted: bigint): number | Promise<number> {
    const narrow = this.beginsWith(wanted) === this.#main;
    return narrow ? spawnTape(tape, options) : spawnTapeFromPool(tape, options);
  }
}
