import { join } from 'node:path';

import { readJournal } from '../../reconcile/journal.ts';
import type { JournalEntry } from '../../reconcile/journal-entry.ts';
import { defineCommand } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import { oneLine } from '../output/printable.ts';
import { formatTable } from '../output/table.ts';

export const command = defineCommand({
  usage: ['events [-n N] [NAME] [-o json|yaml]'],
  description:
    'The journal of the agent: what was done, when and why. NAME keeps what is about a workload, pod or source.',
  options: {
    tail: { type: 'string', short: 'n', value: 'N', help: 'Only the last N (default 50); 0 for all' },
    ...formatOption,
  },
  examples: ['berth events', 'berth events web-0', 'berth events -n 0 -o json'],
  arguments: { min: 0, max: 1 },
  run: async ({ values, args: [name], globals, output }) => {
    const format = parseFormat(values.output);
    const count = parseCount(values.tail);
    const entries = await readJournal(join(globals.root, 'journal'));
    const found = name === undefined ? entries : entries.filter((entry) => isAbout(entry, name));
    const shown = count === 0 ? found : found.slice(-count);
    if (format === 'table') output.write(eventTable(shown));
    else await printStructured(output, format, shown);
    return 0;
  },
});

const DEFAULT_COUNT = 50;

function parseCount(text: string | undefined): number {
  if (text === undefined) return DEFAULT_COUNT;
  if (!/^\d{1,9}$/.test(text)) throw new CommandFailure(`-n takes a number of events, not '${text}'`);
  return Number(text);
}

/** Whether an entry is about what a person calls `name`: a workload, a pod, `pod/container`, a source, an image. Pure. */
export function isAbout({ workload, pod, container, source, image }: JournalEntry, name: string): boolean {
  const [, namespace = '', workloadName = ''] = workload?.split('/') ?? [];
  const names = [
    ...(workload === undefined ? [] : [workload, workloadName, `${namespace}/${workloadName}`]),
    ...(pod === undefined ? [] : [pod, `${namespace}/${pod}`]),
    ...(pod === undefined || container === undefined
      ? []
      : [`${pod}/${container}`, `${namespace}/${pod}/${container}`]),
  ];
  return names.includes(name) || source === name || image === name;
}

/** The table of `berth events`. Pure. */
export function eventTable(entries: readonly JournalEntry[]): string {
  const rows = entries.map((entry) => [
    entry.time,
    entry.step === undefined ? entry.event : `${entry.event} ${entry.step}`,
    oneLine(subjectOf(entry)),
    oneLine(entry.message ?? ''),
  ]);
  return formatTable(['TIME', 'EVENT', 'SUBJECT', 'MESSAGE'], rows);
}

function subjectOf({ workload, pod, container, source, image }: JournalEntry): string {
  if (pod !== undefined) return container === undefined ? pod : `${pod}/${container}`;
  return workload ?? image ?? source ?? '';
}
