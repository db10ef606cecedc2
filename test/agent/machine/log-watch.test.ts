import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { LogWatch } from '../../../src/agent/machine/log-watch.ts';
import { readMarks, timesFile, type LogMark } from '../../../src/oci/pod/log-times.ts';
import { containerDirectory, writeRecord } from '../../../src/oci/runtime/record.ts';

class LogScene {
  readonly state: string;
  readonly log: string;
  readonly errors: unknown[] = [];
  readonly #t: ExecutionContext;

  constructor(t: ExecutionContext) {
    this.#t = t;
    this.state = mkdtempSync(join(tmpdir(), 'berth-log-watch-'));
    this.log = join(this.state, '0.log');
    t.teardown(() => rmSync(this.state, { recursive: true, force: true }));
  }

  /** A container whose log has this content, as one that has just been started leaves it. */
  start(content = ''): void {
    const directory = containerDirectory(this.state, 'one');
    mkdirSync(directory, { recursive: true });
    const nobody = { pid: 1, startTime: 0 };
    const record = {
      ociVersion: '1.2.0',
      id: 'one',
      bundle: '',
      annotations: {},
      labels: {},
      bootId: '',
      creator: nobody,
    };
    writeRecord(directory, { ...record, createdAt: 0, cgroupPath: '', logFile: this.log, stopSignal: 15 });
    writeFileSync(this.log, content);
  }

  watch(maxBytes?: number): LogWatch {
    const onError = (error: unknown): void => void this.errors.push(error);
    const watch = new LogWatch(this, { onError, ...(maxBytes === undefined ? {} : { maxBytes }) });
    this.#t.teardown(() => watch[Symbol.dispose]());
    return watch;
  }

  async until(done: (marks: readonly LogMark[]) => boolean): Promise<readonly LogMark[]> {
    for (let count = 0; count < 400; count++) {
      const marks = readMarks(this.log);
      if (done(marks)) return marks;
      await sleep(20);
    }
    throw new Error(`Not in 8 s: ${JSON.stringify(readMarks(this.log))} ${this.errors.map(String).join(', ')}`);
  }
}

const endsAt = (end: number) => (marks: readonly LogMark[]) => marks.at(-1)?.end === end;

test('a log that grows is noted, one that does not costs nothing', async (t) => {
  const scene = new LogScene(t);
  using _watch = scene.watch();
  scene.start();
  await sleep(300);
  t.deepEqual(readMarks(scene.log), []);
  appendFileSync(scene.log, 'one\n');
  const [mark] = await scene.until(endsAt(4));
  t.deepEqual(mark, { end: 4, time: Math.round(statSync(scene.log).mtimeMs), gap: false });
  await sleep(1200);
  const before = statSync(timesFile(scene.log)).mtimeMs;
  await sleep(1200);
  t.is(statSync(timesFile(scene.log)).mtimeMs, before);
  appendFileSync(scene.log, 'two\n');
  await scene.until(endsAt(8));
  t.deepEqual(scene.errors, []);
});

test('a busy log has far fewer marks than writes', async (t) => {
  const scene = new LogScene(t);
  scene.start();
  using _watch = scene.watch();
  for (let count = 0; count < 250; count++) {
    appendFileSync(scene.log, 'x\n');
    await sleep(10);
  }
  const marks = await scene.until(endsAt(500));
  t.true(marks.length >= 2 && marks.length <= 50, `${marks.length}`);
});

test('what was written between two watches is known to have been written unseen', async (t) => {
  const scene = new LogScene(t);
  scene.start('before any\n');
  scene.watch()[Symbol.dispose]();
  await scene.until(endsAt(11));
  await sleep(2200);
  appendFileSync(scene.log, 'unseen\n');
  using _watch = scene.watch();
  appendFileSync(scene.log, 'seen\n');
  const marks = await scene.until(endsAt(23));
  t.deepEqual(
    marks.map(({ end, gap }) => ({ end, gap })),
    [
      { end: 11, gap: false },
      { end: 18, gap: true },
      { end: 23, gap: false },
    ],
  );
});

test('a log that grows too large is cut at once, and its times stay right', async (t) => {
  const scene = new LogScene(t);
  scene.start();
  using _watch = scene.watch(64 * 1024);
  const block = Buffer.alloc(100_000, 'x');
  appendFileSync(scene.log, block);
  await scene.until(endsAt(100_000));
  appendFileSync(scene.log, block);
  await scene.until(endsAt(200_000));
  t.is(statSync(scene.log).size, 200_000);
  t.true(statSync(scene.log).blocks * 512 <= 64 * 1024);
  t.true(readFileSync(scene.log, 'utf8').endsWith('xxx'));
});

test('a log that was truncated begins anew', async (t) => {
  const scene = new LogScene(t);
  scene.start('something long\n');
  using _watch = scene.watch();
  await scene.until(endsAt(15));
  writeFileSync(scene.log, 'x\n');
  await scene.until((marks) => marks.length === 0);
  appendFileSync(scene.log, 'y\n');
  await scene.until(endsAt(4));
  t.is(readMarks(scene.log).length, 1);
});
