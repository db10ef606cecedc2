import { closeSync, openSync, readSync, writeSync } from 'node:fs';

import test from 'ava';

import { setNonBlocking } from '../../src/linux/fcntl.ts';
import { setWindowSize, windowSize, windowSizeBytes } from '../../src/linux/pty.ts';
import { gathersLines, setRawMode, setTerminalMode, terminalMode } from '../../src/linux/termios.ts';
import { openScreen } from '../tools/screen.ts';

test('a terminal has one size, seen from both sides', (t) => {
  const { screen, slave } = openScreen({ rows: 24, columns: 80 });
  using _screen = screen;
  using _slave = slave;
  setWindowSize(slave.number, { rows: 50, columns: 132 });
  t.deepEqual(windowSize(screen.master.number), { rows: 50, columns: 132 });
});

test('a size has rows first, then columns, of 16 bits', (t) => {
  t.is(windowSizeBytes({ rows: 1, columns: 0x203 }).toString('hex'), '0100030200000000');
  t.throws(() => windowSizeBytes({ rows: 65_536, columns: 1 }), { instanceOf: RangeError });
});

test('what is no terminal says so', (t) => {
  const fd = openSync('/dev/null', 'r');
  t.throws(() => windowSize(fd), { code: 'ENOTTY', message: `ioctl(${fd}, TIOCGWINSZ): ENOTTY` });
  t.throws(() => terminalMode(fd), { code: 'ENOTTY' });
  closeSync(fd);
});

test('a raw terminal passes bytes as they are, until its mode is given back', async (t) => {
  const { screen, slave } = openScreen({ rows: 24, columns: 80 });
  using _screen = screen;
  using _slave = slave;
  const before = terminalMode(slave.number);
  t.true(gathersLines(screen.master.number));
  setRawMode(slave.number);
  t.false(gathersLines(screen.master.number));
  setNonBlocking(slave.number);
  screen.type('\x03\r\x04');
  const bytes = Buffer.alloc(8);
  t.is(bytes.toString('latin1', 0, readSync(slave.number, bytes)), '\x03\r\x04');
  writeSync(slave.number, 'a\nb');
  t.is(await screen.until(/b/), 'a\nb');
  setTerminalMode(slave.number, before);
  t.deepEqual(terminalMode(slave.number), before);
});
