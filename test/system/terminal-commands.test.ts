// berth run -it, exec -it and attach, as people type them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { openCgroup } from '../../src/linux/cgroup/cgroup.ts';
import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { busyboxImage, saveArchive } from '../tools/image.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { assertNoLeaksSince, snapshot } from './leaks.ts';
import { Seat } from './seat.ts';

const unusable = containersUnusable('setsid', 'sh');
const on = unusable === undefined ? test.serial : test.serial.skip;
if (unusable !== undefined) test(`skipped: ${unusable}`, (t) => t.pass());

const BERTH = fileURLToPath(new URL('../../bin/berth', import.meta.url));
const IMAGE = 'localhost/busybox:1';
const home = unusable === undefined ? mkdtempSync(join(tmpdir(), 'berth-test-')) : '';
const state = join(home, 'state');
const cgroupParent = `/berth-test-terminal-${process.pid}`;
const before = snapshot({ directories: [state], cgroupParent, parts: ['processes', 'mounts', 'cgroups'] });
const SHELL = ['--network', 'none', '-e', 'PS1=ready> ', IMAGE, 'sh'];
const PROMPT = /ready> /;

function command(...words: readonly string[]): string[] {
  return [BERTH, '--root', join(home, 'root'), '--state', state, '--cgroup-parent', cgroupParent, ...words];
}

function berth(...words: readonly string[]): string {
  const [program = '', ...args] = command(...words);
  return execFileSync(program, args, { encoding: 'utf8' });
}

test.before(() => {
  if (unusable === undefined) berth('image', 'import', saveArchive(busyboxImage(), join(home, 'busybox.tar')));
});

test.after.always(async () => {
  if (unusable !== undefined) return;
  try {
    await openCgroup(readCgroupLayout(), cgroupParent).remove();
    await assertNoLeaksSince(before);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

on('run -it is a shell at a terminal, and --rm leaves nothing of it', async (t) => {
  using seat = new Seat(command('run', '--rm', '-it', ...SHELL));
  await seat.screen.until(PROMPT);
  seat.screen.type('readlink /proc/self/fd/0; echo $TERM; exit 17\r');
  await seat.screen.until(/\r\n\/dev\/pts\/0\r\nxterm\r\n/);
  t.is(await seat.code(), 17);
  t.true(seat.isAsBefore());
  await seat.leave();
  t.deepEqual(JSON.parse(berth('ps', '-a', '-o', 'json')), []);
});

on('run -dit leaves a shell in the background, attach and exec -it lead to it', async (t) => {
  berth('run', '-dit', '--name', 'shell', ...SHELL);
  using attached = new Seat(command('attach', 'shell'));
  attached.screen.type('\r');
  await attached.screen.until(PROMPT);
  attached.screen.type('\x10\x11');
  t.is(await attached.code(), 0);
  await attached.leave();
  using inside = new Seat(command('exec', '-it', 'shell', 'sh', '-c', 'readlink /proc/self/fd/0; exit 3'));
  await inside.screen.until(/\/dev\/pts\/1\r\n/);
  t.is(await inside.code(), 3);
  await inside.leave();
  using again = new Seat(command('attach', 'shell'));
  again.screen.type('exit 9\r');
  t.is(await again.code(), 9);
  await again.leave();
  berth('rm', 'shell');
});

on('ctrl-p ctrl-q leaves a run, and says how to come back', async (t) => {
  using seat = new Seat(command('run', '-it', '--name', 'left', ...SHELL));
  await seat.screen.until(PROMPT);
  seat.screen.type('\x10\x11');
  await seat.screen.until(/left runs on: berth attach left/);
  t.is(await seat.code(), 0);
  t.true(seat.isAsBefore());
  await seat.leave();
  berth('kill', 'left');
  t.is(berth('rm', '-f', 'left'), 'left\n');
});
