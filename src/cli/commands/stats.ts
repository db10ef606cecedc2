import { setTimeout as sleep } from 'node:timers/promises';

import type { Snapshot } from '../../agent/container-snapshot.ts';
import { DiskUsage } from '../../agent/disk-usage.ts';
import { LastSeen } from '../../agent/last-seen.ts';
import { snapshotReader } from '../../agent/take-snapshot.ts';
import type { Host } from '../../oci/host.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { Interrupt } from '../interrupt.ts';
import { allMatches, shortId } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { formatPercent, formatSize } from '../output/quantities.ts';
import { formatTable } from '../output/table.ts';
import { usageBetween, type UsageView } from '../usage-rates.ts';

const INTERVAL_MS = 1000;
const CLEAR = '\u001B[H\u001B[J';

export const command = defineCommand({
  usage: ['stats [--no-stream] [NAME…] [-o json|yaml]'],
  description: 'On a terminal the table is renewed every second, until Ctrl-C. 100 % is one processor.',
  options: {
    'no-stream': { type: 'boolean', help: 'Print once' },
    ...formatOption,
  },
  examples: ['berth stats', 'berth stats --no-stream web', 'berth stats -o json'],
  arguments: { min: 0, max: Infinity },
  run: async ({ values, args, globals, output }) => {
    const format = parseFormat(values.output);
    const host = hostOf(globals);
    const isWanted = chooser(host, args);
    const read = snapshots(host);
    using interrupt = new Interrupt();
    const stream = output.isTerminal && format === 'table' && !values['no-stream'];
    let before = read();
    for (;;) {
      await sleep(INTERVAL_MS, undefined, { signal: interrupt.signal }).catch(() => undefined);
      if (interrupt.signal.aborted) return 0;
      const after = read();
      const rows = usageBetween(before, after).filter(({ id }) => isWanted(id));
      if (format === 'table') printTable(output, rows, { clear: stream });
      else await printStructured(output, format, rows);
      if (!stream) return 0;
      before = after;
    }
  },
});

/** Whether a container is among those named; all are when none is. Throws CommandFailure on a name that means none. */
function chooser(host: Host, names: readonly string[]): (id: string) => boolean {
  if (names.length === 0) return () => true;
  const ids = new Set(allMatches(names, listContainers(host)).map(({ id }) => id));
  return (id) => ids.has(id);
}

function snapshots(host: Host): () => Snapshot {
  const disk = new DiskUsage();
  // Nobody asks here how large the writable layers are.
  disk.close();
  return snapshotReader({
    host,
    lastSeen: new LastSeen(),
    disk,
    isReady: () => undefined,
    isWanted: () => false,
    now: () => Date.now(),
  });
}

function printTable(output: Output, rows: readonly UsageView[], { clear }: { readonly clear: boolean }): void {
  output.write(`${clear ? CLEAR : ''}${usageTable(rows)}`);
}

/** The table of `berth stats`. Pure. */
export function usageTable(rows: readonly UsageView[]): string {
  const cells = rows.map((row) => [
    shortId(row.id),
    row.name,
    row.cpuShare === undefined ? '-' : formatPercent(row.cpuShare),
    `${formatSize(row.memoryBytes)} / ${row.memoryLimitBytes === undefined ? '-' : formatSize(row.memoryLimitBytes)}`,
    row.receivedBytes === undefined ? '-' : `${formatSize(row.receivedBytes)} / ${formatSize(row.sentBytes ?? 0)}`,
    `${formatSize(row.readBytes)} / ${formatSize(row.writtenBytes)}`,
    String(row.threads),
  ]);
  return formatTable(['ID', 'NAME', 'CPU', 'MEMORY / LIMIT', 'NET IN / OUT', 'DISK READ / WRITTEN', 'THREADS'], cells);
}
