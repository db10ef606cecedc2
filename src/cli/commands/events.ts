import { join } from 'node:path';

import { followEvents } from '../../agent/follow-events.ts';
import { controlSocketPath } from '../../agent/places.ts';
import { readJournal } from '../../reconcile/journal.ts';
import type { JournalEntry } from '../../reconcile/journal-entry.ts';
import { defineCommand, type Globals } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { Interrupt } from '../interrupt.ts';
import { formatOption, parseFormat, printStructured, type Format } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { oneLine } from '../output/printable.ts';
import { formatTable } from '../output/table.ts';
import { timeOption } from '../time-option.ts';

export const command = defineCommand({
  usage: ['events [-f] [-n N] [--since TIME] [NAME] [-o json|yaml]'],
  description: [
    'The journal of the agent: what was done, when and why. NAME keeps what is about a workload, pod or source.',
    'TIME is how long ago (10m, 1h30m), RFC 3339, or seconds since the epoch. With -f, -o json prints an object a line.',
  ].join('\n'),
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on with what the agent does from now on' },
    tail: { type: 'string', short: 'n', value: 'N', help: 'Only the last N (default 50); 0 for all' },
    since: { type: 'string', value: 'TIME', help: 'Only what was done then or later (default: -n 0)' },
    ...formatOption,
  },
  examples: ['berth events', 'berth events -f web-0', 'berth events --since 1h -o json'],
  arguments: { min: 0, max: 1 },
  run: async ({ values, args: [name], globals, output }) => {
    const format = parseFormat(values.output);
    const selection = {
      name,
      since: timeOption('--since', values.since, Date.now()),
      count: parseCount(values.tail ?? (values.since === undefined ? undefined : '0')),
    };
    const journal = join(globals.root, 'journal');
    if (values.follow) return followJournal({ journal, globals, selection, format }, output);
    const shown = select(await readJournal(journal), selection);
    if (format === 'table') output.write(eventTable(shown));
    else await printStructured(output, format, shown);
    return 0;
  },
});

type Selection = {
  readonly name: string | undefined;
  readonly since: number | undefined;
  /** 0: all. */
  readonly count: number;
};

/** The entries that were asked for. Pure. */
export function select(entries: readonly JournalEntry[], { name, since, count }: Selection): JournalEntry[] {
  const found = entries.filter(
    (entry) => (name === undefined || isAbout(entry, name)) && (since === undefined || Date.parse(entry.time) >= since),
  );
  return count === 0 ? found : found.slice(-count);
}

type Following = {
  readonly journal: string;
  readonly globals: Globals;
  readonly selection: Selection;
  readonly format: Format;
};

/** Print what is in the journal, then what comes, each once, until interrupted. */
async function followJournal({ journal, globals, selection, format }: Following, output: Output): Promise<number> {
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  await using stream = await followEvents(controlSocketPath(globals), signal);
  if (stream === undefined) throw new CommandFailure('No agent is running: nothing is done that could be followed');
  const past = await readJournal(journal);
  const print = await entryPrinter(format, output);
  for (const entry of select(past, selection)) print(entry);
  const known = new Set(past.map((entry) => JSON.stringify(entry)));
  for await (const entry of stream.entries) {
    if (known.has(JSON.stringify(entry))) continue;
    if (select([entry], { ...selection, count: 0 }).length > 0) print(entry);
  }
  if (signal.aborted) return 0;
  throw new CommandFailure('The agent has ended');
}

/** Lines of a table whose rows are not known yet: columns of one width. */
async function entryPrinter(format: Format, output: Output): Promise<(entry: JournalEntry) => void> {
  if (format === 'json') return (entry) => output.line(JSON.stringify(entry));
  if (format === 'yaml') {
    const { stringify } = await import('yaml');
    return (entry) => output.write(`---\n${stringify(entry)}`);
  }
  const print = (cells: readonly string[]): void =>
    output.line(cells.map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0)).join('   '));
  print(HEADINGS);
  return (entry) => print(cellsOf(entry));
}

const HEADINGS = ['TIME', 'EVENT', 'SUBJECT', 'MESSAGE'] as const;
const WIDTHS = [24, 24, 24];

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
  return formatTable(HEADINGS, entries.map(cellsOf));
}

function cellsOf(entry: JournalEntry): string[] {
  const { time, event, step, message = '' } = entry;
  return [time, step === undefined ? event : `${event} ${step}`, oneLine(subjectOf(entry)), oneLine(message)];
}

function subjectOf({ workload, pod, container, source, image }: JournalEntry): string {
  if (pod !== undefined) return container === undefined ? pod : `${pod}/${container}`;
  return workload ?? image ?? source ?? '';
}
