import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { seekData } from '../../../src/linux/fallocate.ts';
import { limitLog, removeOldLogs } from '../../../src/oci/pod/logs.ts';

const KIB = 1024;

function temporary(t: { teardown: (f: () => void) => void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-logs-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('a log that grew too large loses its head, keeps its size and its tail', (t) => {
  const path = join(temporary(t), '0.log');
  writeFileSync(path, Buffer.alloc(512 * KIB, 'a'));
  appendFileSync(path, 'the end\n');
  const size = statSync(path).size;
  t.true(limitLog(path, 128 * KIB));
  t.is(statSync(path).size, size);
  t.true(statSync(path).blocks * 512 <= 128 * KIB);
  t.true(readFileSync(path, 'utf8').endsWith('aaathe end\n'));
  const fd = openSync(path, 'r');
  t.teardown(() => closeSync(fd));
  const data = seekData(fd, 0);
  t.true(data !== undefined && data > 0 && data < size);
  t.false(limitLog(path, 128 * KIB), 'and is left alone until it has grown again');
});

test('a small log and a missing one are left alone', (t) => {
  const directory = temporary(t);
  writeFileSync(join(directory, '0.log'), 'small\n');
  t.false(limitLog(join(directory, '0.log'), 64 * KIB));
  t.false(limitLog(join(directory, 'none.log'), 64 * KIB));
});

test('a file that is nothing but a hole has no data', (t) => {
  const path = join(temporary(t), 'empty');
  writeFileSync(path, '');
  const fd = openSync(path, 'r');
  t.teardown(() => closeSync(fd));
  t.is(seekData(fd, 0), undefined);
});

test('the logs of this run and the one before stay, older ones go', (t) => {
  const durable = temporary(t);
  const logs = join(durable, 'logs', 'app');
  mkdirSync(logs, { recursive: true });
  for (const name of ['0.log', '1.log', '2.log', '3.log', 'other.txt']) writeFileSync(join(logs, name), '');
  removeOldLogs({ durable, run: durable }, 'app', 3);
  t.deepEqual(
    ['0.log', '1.log', '2.log', '3.log', 'other.txt'].map((name) => existsSync(join(logs, name))),
    [false, false, true, true, true],
  );
  t.notThrows(() => removeOldLogs({ durable, run: durable }, 'absent', 1));
});
