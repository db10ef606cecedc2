import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { readable } from '../../src/linux/poll.ts';
import { receiveFd } from '../../src/linux/receive-fd.ts';
import { sendFd } from '../../src/linux/send-fd.ts';
import { socketpair } from '../../src/linux/socketpair.ts';

/** An open file with `content`, as its name is gone already. */
function openFile(content: string): number {
  const directory = mkdtempSync(join(tmpdir(), 'berth-test-'));
  const path = join(directory, 'file');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  rmSync(directory, { recursive: true });
  return fd;
}

test('a descriptor that was sent is the same open file', async (t) => {
  const [one, other] = socketpair();
  using _one = one;
  using _other = other;
  const file = openFile('content');
  sendFd(one.number, file, 'name');
  const { ino } = fstatSync(file);
  closeSync(file);
  await readable(other.number);
  using received = receiveFd(other.number, 'take');
  t.is(received === undefined ? undefined : fstatSync(received.number).ino, ino);
  t.is(receiveFd(other.number, 'take'), undefined);
});

test('a message that is only looked at keeps the file open and can be had again', (t) => {
  const [one, other] = socketpair();
  using _one = one;
  using _other = other;
  const file = openFile('content');
  sendFd(one.number, file, 'name');
  closeSync(file);
  for (let time = 0; time < 3; time += 1) {
    using received = receiveFd(other.number, 'peek');
    const bytes = Buffer.alloc(7);
    readSync(received?.number ?? -1, bytes, 0, 7, 0);
    t.is(bytes.toString(), 'content');
  }
});

test('without a message there is no descriptor, and none after the sender has gone', async (t) => {
  const [one, other] = socketpair();
  using _other = other;
  t.is(receiveFd(other.number, 'take'), undefined);
  one[Symbol.dispose]();
  await readable(other.number);
  t.is(receiveFd(other.number, 'take'), undefined);
});

test('a socket whose other end is closed refuses a descriptor without a signal', (t) => {
  const [one, other] = socketpair();
  using _one = one;
  other[Symbol.dispose]();
  t.throws(() => sendFd(one.number, 0, 'name'), { code: 'EPIPE', message: /^sendmsg\(\d+, SCM_RIGHTS 0\): EPIPE$/ });
});
