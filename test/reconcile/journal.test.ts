import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { journalEntry } from '../../src/reconcile/journal-entry.ts';
import { Journal, readJournal } from '../../src/reconcile/journal.ts';
import type { Report } from '../../src/reconcile/report.ts';

async function open(
  t: ExecutionContext,
  options: { fileBytes?: number } = {},
): Promise<{ journal: Journal; directory: string }> {
  const root = await mkdtemp(join(tmpdir(), 'berth-journal-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const directory = join(root, 'journal');
  return { directory, journal: new Journal({ directory, ...options, onError: (error) => t.fail(String(error)) }) };
}

function entry(message: string): { time: string; event: string; message: string } {
  return { time: '2026-01-01T00:00:00.000Z', event: 'test', message };
}

test('entries are read in the order in which they were appended', async (t) => {
  const { journal, directory } = await open(t);
  for (let count = 0; count < 20; count++) journal.append(entry(String(count)));
  await journal.flushed();
  journal.append(entry('last'));
  await journal.flushed();
  const messages = (await readJournal(directory)).map(({ message }) => message);
  t.deepEqual(messages, [...Array(20).keys()].map(String).concat('last'));
});

test('the journal keeps within its bounds, and the newest entries', async (t) => {
  const { journal, directory } = await open(t, { fileBytes: 500 });
  for (let count = 0; count < 200; count++) {
    journal.append(entry(String(count)));
    await journal.flushed();
  }
  const names = await readdir(directory);
  t.is(names.length, 4);
  for (const name of names) t.true((await stat(join(directory, name))).size < 600);
  const messages = (await readJournal(directory)).map(({ message }) => Number(message));
  t.is(messages.at(-1), 199);
  t.deepEqual(
    messages,
    messages.toSorted((one, other) => one - other),
  );
});

test('a torn line is left out', async (t) => {
  const { journal, directory } = await open(t);
  journal.append(entry('one'));
  await journal.flushed();
  await appendFile(join(directory, 'events.jsonl'), '{"time":"2026');
  t.is((await readJournal(directory)).length, 1);
});

test('there is no journal before something was written', async (t) => {
  const { directory } = await open(t);
  t.deepEqual(await readJournal(directory), []);
});

test('a journal that cannot be written says so and goes on', async (t) => {
  const errors: unknown[] = [];
  const journal = new Journal({ directory: `${import.meta.filename}/journal`, onError: (error) => errors.push(error) });
  journal.append(entry('one'));
  await journal.flushed();
  t.is(errors.length, 1);
});

test('what changes something has an entry, what only looks has none', (t) => {
  const workload = { kind: 'Pod', namespace: 'default', name: 'web' } as const;
  const done: Report = {
    event: 'stepDone',
    workload,
    step: 'startContainer',
    pod: 'web',
    container: 'main',
    image: 'example.test/web:1',
    why: 'image changed',
    durationMs: 3,
  };
  t.deepEqual(journalEntry(done, 0), {
    time: '1970-01-01T00:00:00.000Z',
    event: 'stepDone',
    workload: 'Pod/default/web',
    step: 'startContainer',
    pod: 'web',
    container: 'main',
    image: 'example.test/web:1',
    message: 'image changed',
  });
  const looked = { result: 'success', steps: 0, durationMs: 1, conditions: [], changed: false } as const;
  t.is(journalEntry({ event: 'looked', workload, ...looked }, 0), undefined);
  t.is(journalEntry({ event: 'sourceChecked', source: 's', revision: 'r' }, 0), undefined);
  t.is(journalEntry({ event: 'sourceFailed', source: 's', code: 'SOURCE_IO', message: 'm' }, 0)?.message, 'm');
});
