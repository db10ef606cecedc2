import test from 'ava';

import { openLog, type LogOptions } from '../../src/agent/log.ts';
import { Credentials } from '../../src/oci/image/registry/credentials.ts';

const NOW = Date.parse('2026-01-02T03:04:05.678Z');

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { lines, log: openLog({ level: 'debug', format: 'json', colour: false, write, now: () => NOW, ...options }) };
}

test('a line of JSON has time, level, message and the fields', (t) => {
  const { lines, log } = capture();
  log.info('step done', { step: 'pull', ms: 12, container: undefined });
  t.deepEqual(lines, ['{"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"step done","step":"pull","ms":12}\n']);
});

test('text with line ends and quotes stays one line of JSON', (t) => {
  const { lines, log } = capture();
  log.error('failed', { error: 'a\nb "c" \u001B[31m' });
  t.is(lines.length, 1);
  t.is(lines[0]?.split('\n').length, 2);
  t.is((JSON.parse(lines[0] ?? '') as { error: string }).error, 'a\nb "c" \u001B[31m');
});

test('a level that is not wanted is a function that does nothing', (t) => {
  const { lines, log } = capture({ level: 'warn' });
  log.error('one');
  log.warn('two');
  log.info('three');
  log.debug('four');
  t.is(lines.length, 2);
  t.is(log.info, log.debug);
});

test('for people a line has the time of day, the level, the message and key=value', (t) => {
  const { lines, log } = capture({ format: 'pretty' });
  log.warn('source cannot be read', { source: '/srv/apps', why: 'no such file', steps: ['a', 'b c'], empty: '' });
  t.deepEqual(lines, [
    '03:04:05.678 warn  source cannot be read  source=/srv/apps  why="no such file"  steps=a "b c"  empty=""\n',
  ]);
});

test('colours are only there when asked for', (t) => {
  const plain = capture({ format: 'pretty' });
  const coloured = capture({ format: 'pretty', colour: true });
  for (const { log } of [plain, coloured]) log.info('hello', { a: 1 });
  t.false(plain.lines.join('').includes('\u001B'));
  t.true(coloured.lines.join('').includes('\u001B['));
});

test('a value cannot drive the terminal, nor pretend to be another line', (t) => {
  const { lines, log } = capture({ format: 'pretty' });
  log.info('x', { bad: 'a\u001B[2Jb\nc\u202Ed' });
  const [line = ''] = lines;
  t.is(line.split('\n').length, 2);
  for (const character of ['\u001B', '\u202E']) t.false(line.includes(character));
});

test('what holds a secret prints as [redacted] even where it is not expected', (t) => {
  const { lines, log } = capture();
  const secret = new Credentials({ username: 'user', password: 'hunter2' });
  log.info('x', { auth: secret as unknown as string });
  t.false(lines.join('').includes('hunter2'));
  t.true(lines.join('').includes('[redacted]'));
});
