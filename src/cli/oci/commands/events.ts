// berth-oci events: numbers of a container again and again, and each time that memory ran out. Ends with the container.
import { setTimeout as sleep } from 'node:timers/promises';

import { openCgroup, type Cgroup } from '../../../linux/cgroup/cgroup.ts';
import { readRawStats } from '../../../linux/cgroup/raw-stats.ts';
import { OciError } from '../../../oci/error.ts';
import type { RuntimePlace } from '../../../oci/runtime/runtime.ts';
import { requireState } from '../../../oci/runtime/state.ts';
import { waitContainer } from '../../../oci/runtime/wait.ts';
import { CommandFailure } from '../../failure.ts';
import { defineOciCommand } from '../command.ts';
import { statsDocument } from '../stats-document.ts';

const DEFAULT_INTERVAL = '5s';
/** Counting what the OOM killer did costs one read. */
const OOM_LOOK_MS = 100;

export const command = defineOciCommand({
  usage: 'events [FLAGS] ID',
  summary: 'print what a container uses, and when its memory runs out',
  options: {
    interval: { type: 'string', value: 'TIME', help: `time between two lines (default: ${DEFAULT_INTERVAL})` },
    stats: { type: 'boolean', help: 'one line of numbers, and end' },
  },
  arguments: { min: 1, max: 1 },
  run: async ({ values: { stats: once, interval = DEFAULT_INTERVAL }, args: [id = ''], place: open }) => {
    const intervalMs = parseDuration(interval);
    const runtime = await open();
    const { status, record } = requireState(runtime.stateDirectory, id);
    if (status === 'stopped') throw new OciError('CONTAINER_STATE', `Container with id '${id}' is not running`);
    const cgroup = openCgroup(runtime.cgroups, record.cgroupPath);
    if (once) print(statsEvent(runtime, id, cgroup));
    else await follow(runtime, id, { cgroup, intervalMs });
    return 0;
  },
});

type Following = { readonly cgroup: Cgroup; readonly intervalMs: number };

async function follow(runtime: RuntimePlace, id: string, { cgroup, intervalMs }: Following): Promise<void> {
  const over = new AbortController();
  const ended = waitContainer(runtime.stateDirectory, id).finally(() => over.abort());
  let kills = cgroup.oomKills();
  let next = performance.now() + intervalMs;
  const lookForOom = (): void => {
    const now = cgroup.oomKills();
    if (now > kills) print({ type: 'oom', id });
    kills = now;
  };
  while (!over.signal.aborted) {
    await sleep(Math.min(OOM_LOOK_MS, intervalMs), undefined, { signal: over.signal }).catch(() => undefined);
    lookForOom();
    if (over.signal.aborted || performance.now() < next) continue;
    print(statsEvent(runtime, id, cgroup));
    next = performance.now() + intervalMs;
  }
  await ended;
}

function statsEvent({ cgroups }: RuntimePlace, id: string, cgroup: Cgroup): object {
  return { type: 'stats', id, data: statsDocument(cgroup.stats(), readRawStats(cgroups, cgroup.path)) };
}

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `5s`, `100ms`, `1m30s`, in milliseconds. Throws CommandFailure on anything else, and on no time at all. */
function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const total = parts.reduce((sum, [, count = '0', unit = 's']) => sum + Number(count) * (UNITS_MS[unit] ?? 0), 0);
  if (parts.map(([part]) => part).join('') !== text || total <= 0)
    throw new CommandFailure(`Duration interval must be greater than 0, such as 5s: '${text}' is not`);
  return total;
}
