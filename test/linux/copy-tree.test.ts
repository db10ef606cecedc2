import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { copyTree } from '../../src/linux/copy-tree.ts';
import { mkfifo } from '../../src/linux/fifo.ts';

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'berth-copy-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function copy(from: string, to: string): void {
  const [source, target] = [openSync(from, 'r'), openSync(to, 'r')];
  copyTree(source, target);
  for (const fd of [source, target]) closeSync(fd);
}

test('files, directories, links and FIFOs are copied with their permissions and times', (t) => {
  const [from, to] = [directory(t), directory(t)];
  mkdirSync(join(from, 'deep/er'), { recursive: true });
  writeFileSync(join(from, 'deep/er/file'), 'content');
  chmodSync(join(from, 'deep/er/file'), 0o4751);
  utimesSync(join(from, 'deep/er/file'), 1_000_000_000, 1_000_000_001);
  symlinkSync('/etc/passwd', join(from, 'link'));
  mkfifo(join(from, 'fifo'), 0o620);
  chmodSync(join(from, 'deep'), 0o1711);
  copy(from, to);
  const file = lstatSync(join(to, 'deep/er/file'));
  t.is(readFileSync(join(to, 'deep/er/file'), 'utf8'), 'content');
  t.deepEqual([file.mode & 0o7777, file.mtimeMs], [0o4751, 1_000_000_001_000]);
  t.is(lstatSync(join(to, 'deep')).mode & 0o7777, 0o1711);
  t.is(readlinkSync(join(to, 'link')), '/etc/passwd');
  t.true(lstatSync(join(to, 'fifo')).isFIFO());
});

test('a name that is no text is copied as it is', (t) => {
  const [from, to] = [directory(t), directory(t)];
  const name = Buffer.from([0x61, 0xff, 0xfe]);
  writeFileSync(Buffer.concat([Buffer.from(`${from}/`), name]), 'content');
  copy(from, to);
  t.deepEqual(readdirSync(to, { encoding: 'buffer' }), [name]);
});

test('a socket is left out, and a second name becomes a file of its own', async (t) => {
  const [from, to] = [directory(t), directory(t)];
  const server = createServer().listen(join(from, 'socket'));
  await once(server, 'listening');
  t.teardown(() => server.close());
  writeFileSync(join(from, 'one'), '1');
  linkSync(join(from, 'one'), join(from, 'two'));
  copy(from, to);
  t.deepEqual(readdirSync(to), ['one', 'two']);
  t.is(lstatSync(join(to, 'one')).nlink, 1);
});
