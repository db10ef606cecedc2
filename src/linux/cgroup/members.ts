// The processes of a cgroup: list, freeze, thaw and kill them.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { isErrno } from '../errno.ts';
import { parseFlatKeyed, readControl, readControlIfPresent, writeControl } from './control-file.ts';
import { CgroupError } from './error.ts';
import type { Place } from './layout.ts';
import { placeOf } from './place.ts';

const FREEZE_TIMEOUT_MS = 10_000;
// A process that forks faster than it is killed is stopped by the freezer, or by the pids limit; never loop for ever.
const KILL_ROUNDS = 100;

/** All process ids of the cgroup and of sub-cgroups. Empty when it is gone. */
export function memberPids(places: readonly Place[]): number[] {
  // A process is in one cgroup of each hierarchy: any one tells all. Ask v2 too, where one may be without being in v1.
  const v1 = placeOf(places, 'pids') ?? places[0];
  const v2 = placeOf(places, 'unified');
  const asked = new Set([v1, v2].flatMap((place) => (place === undefined ? [] : [place.directory])));
  return [...new Set([...asked].flatMap(pidsBelow))];
}

/** Whether the cgroup is frozen, or about to be. */
export function isFrozen(places: readonly Place[]): boolean {
  const v2 = placeOf(places, 'unified');
  if (v2 !== undefined) return readControlIfPresent(`${v2.directory}/cgroup.freeze`)?.trim() === '1';
  const v1 = placeOf(places, 'freezer');
  const state = v1 === undefined ? undefined : readControlIfPresent(`${v1.directory}/freezer.state`)?.trim();
  return state === 'FROZEN' || state === 'FREEZING';
}

/** Stop every process, and wait until all have stopped. Rejects with CgroupError TIMEOUT. */
export async function freeze(places: readonly Place[]): Promise<void> {
  setFrozen(places, 'frozen');
  await settled(places, 'frozen');
}

/** Let the processes go on. Rejects with CgroupError TIMEOUT. */
export async function thaw(places: readonly Place[]): Promise<void> {
  setFrozen(places, 'thawed');
  await settled(places, 'thawed');
}

/**
 * Send SIGKILL to every process of the cgroup and of sub-cgroups, frozen ones too. On v2 by one atomic write; on v1
 * while frozen, so that nothing can fork meanwhile. Returns before the processes have ended.
 */
export function killMembers(places: readonly Place[]): void {
  const v2 = placeOf(places, 'unified');
  if (v2 !== undefined) ignoreGone(() => writeControl(`${v2.directory}/cgroup.kill`, '1'));
  const killedByKernel = v2 !== undefined && places.length === 1;
  if (killedByKernel) return;
  const freezer = v2 === undefined && placeOf(places, 'freezer') !== undefined;
  try {
    if (freezer) ignoreGone(() => setFrozen(places, 'frozen'));
    killOneByOne(places);
  } finally {
    // A frozen process of v1 does not die of SIGKILL before it is thawed.
    if (freezer) ignoreGone(() => setFrozen(places, 'thawed'));
  }
}

function killOneByOne(places: readonly Place[]): void {
  const signalled = new Set<number>();
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const fresh = memberPids(places).filter((pid) => !signalled.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) {
      signalled.add(pid);
      sendKill(pid);
    }
  }
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

type FreezerState = 'frozen' | 'thawed';

function setFrozen(places: readonly Place[], state: FreezerState): void {
  const v2 = placeOf(places, 'unified');
  if (v2 !== undefined) return writeControl(`${v2.directory}/cgroup.freeze`, state === 'frozen' ? '1' : '0');
  const v1 = placeOf(places, 'freezer');
  if (v1 === undefined) throw new CgroupError('UNSUPPORTED', 'freeze: no freezer controller on this machine');
  writeControl(`${v1.directory}/freezer.state`, state === 'frozen' ? 'FROZEN' : 'THAWED');
}

async function settled(places: readonly Place[], state: FreezerState): Promise<void> {
  const deadline = performance.now() + FREEZE_TIMEOUT_MS;
  for (let pauseMs = 1; !isSettled(places, state); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() > deadline) {
      const where = (placeOf(places, 'unified') ?? placeOf(places, 'freezer'))?.directory;
      throw new CgroupError('TIMEOUT', `${where} is not ${state} after ${FREEZE_TIMEOUT_MS / 1000} s`);
    }
    await sleep(pauseMs);
  }
}

function isSettled(places: readonly Place[], state: FreezerState): boolean {
  const v2 = placeOf(places, 'unified');
  if (v2 !== undefined) {
    const frozen = parseFlatKeyed(readControl(`${v2.directory}/cgroup.events`)).get('frozen');
    return frozen === (state === 'frozen' ? 1 : 0);
  }
  const v1 = placeOf(places, 'freezer');
  if (v1 === undefined) return true;
  const now = readControl(`${v1.directory}/freezer.state`).trim();
  // A task that was in the kernel when it was told stays FREEZING until it is told again.
  if (state === 'frozen' && now === 'FREEZING') setFrozen(places, 'frozen');
  return now === (state === 'frozen' ? 'FROZEN' : 'THAWED');
}

function pidsBelow(directory: string): number[] {
  return subtree(directory).flatMap((path) => {
    // A threaded sub-cgroup of v2 has no list; its processes are in that of the domain above.
    const text = readControlIfPresent(`${path}/cgroup.procs`) ?? '';
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  });
}

/** `directory` and all below it, deepest last. Empty when it is gone. */
export function subtree(directory: string): string[] {
  try {
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [directory, ...below.flatMap(({ name }) => subtree(`${directory}/${name}`))];
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
}

function ignoreGone(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
  }
}
