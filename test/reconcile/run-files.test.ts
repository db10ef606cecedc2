import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { listRunRecords, readRunRecord, writeRunRecord } from '../../src/reconcile/run-files.ts';
import type { RunRecord } from '../../src/reconcile/run-record.ts';

const ID = { kind: 'Job', namespace: 'shop', name: 'import.daily' } as const;
const RECORD: RunRecord = {
  key: '0123456789abcdef',
  startedAt: 1,
  done: ['import.daily-0'],
  failures: 2,
  lastFailureAt: 3,
  counted: ['a'],
  outcome: { result: 'Failed', reason: 'DeadlineExceeded', message: 'too slow', at: 4 },
};

async function directory(t: ExecutionContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'berth-runs-'));
  t.teardown(() => rm(home, { recursive: true }));
  return join(home, 'runs');
}

test('a record comes back as it was kept, is listed, and can be forgotten', async (t) => {
  const runs = await directory(t);
  t.is(await readRunRecord(runs, ID), undefined);
  t.deepEqual(await listRunRecords(runs), []);
  await writeRunRecord(runs, ID, undefined);
  await writeRunRecord(runs, ID, RECORD);
  t.deepEqual(await readRunRecord(runs, ID), RECORD);
  await writeRunRecord(runs, ID, { ...RECORD, startedAt: undefined, outcome: undefined });
  const { startedAt: _start, outcome: _outcome, ...rest } = RECORD;
  t.deepEqual(await readRunRecord(runs, ID), rest);
  t.deepEqual(await listRunRecords(runs), [ID]);
  await writeRunRecord(runs, ID, undefined);
  t.deepEqual(await listRunRecords(runs), []);
});

test('a damaged record is no record, nor is it none: the file to remove is named', async (t) => {
  const runs = await directory(t);
  await writeRunRecord(runs, ID, RECORD);
  const file = join(runs, 'Job', 'shop', 'import.daily.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"failures":2', '"failures":0'));
  await t.throwsAsync(readRunRecord(runs, ID), { message: /import\.daily\.json: the checksum does not match; remove/ });
  await truncate(file, 20);
  await t.throwsAsync(readRunRecord(runs, ID), { message: /import\.daily\.json: .*remove the file/ });
});
