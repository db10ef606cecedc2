// Sessions as people have them: a terminal of the host, a shell in it, and in that a program of berth with a container's terminal.
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { setWindowSize } from '../../src/linux/pty.ts';
import { gathersLines } from '../../src/linux/termios.ts';
import { createContainer } from '../../src/oci/runtime/create.ts';
import type { Monitor } from '../../src/oci/runtime/monitor.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { ContainerScene } from './container-scene.ts';
import { AS_LEADER, Seat } from './seat.ts';

const unusable = containersUnusable('setsid', 'sh');
const scene = unusable === undefined ? new ContainerScene() : undefined;
const on = unusable === undefined ? test.serial : test.serial.skip;

function here(): ContainerScene {
  if (scene === undefined) throw new Error(unusable);
  return scene;
}

test.after.always(() => scene?.close());
if (unusable !== undefined) test(`skipped: ${unusable}`, (t) => t.pass());

const PROGRAM = fileURLToPath(new URL('terminal-program.ts', import.meta.url));
const PROMPT = /ready> /;

/** A seat at which terminal-program.ts runs. */
function sit(words: readonly string[], script?: string): Seat {
  return new Seat([process.execPath, PROGRAM, here().stateDirectory, ...words], script);
}

type Running = { readonly id: string; readonly monitor: Monitor };

async function container(terminal: boolean): Promise<Running> {
  const id = here().newId();
  const command = terminal ? ['sh', '-i'] : ['sleep', '1000'];
  const request = here().request(id, { command, terminal, env: ['PS1=ready> '] }, { logFile: '/dev/null' });
  const monitor = await createContainer(here().runtime, request);
  monitor.terminal?.[Symbol.dispose]();
  return { id, monitor };
}

on('keys, output, size and exit code go through, and the terminal is as before afterwards', async (t) => {
  const { id } = await container(false);
  using seat = sit(['exec', id, 'sh', '-i']);
  const { screen } = seat;
  await screen.until(PROMPT);
  t.false(gathersLines(screen.master.number));
  screen.type('tty; stty size\r');
  t.regex(await screen.until(/30 100\r\n/), /\r\n\/dev\/pts\/0\r\n/);
  setWindowSize(screen.master.number, { rows: 41, columns: 121 });
  screen.type('until test "$(stty size)" = "41 121"; do sleep 0.05; done; echo resized\r');
  await screen.until(/\nresized\r\n/);
  screen.type("sh -c 'echo began; exec sleep 1000'\r");
  await screen.until(/\nbegan\r\n/);
  screen.type('\x03');
  await screen.until(PROMPT);
  screen.type('exit 42\r');
  t.is(await seat.code(), 42);
  t.true(seat.isAsBefore());
  await seat.leave();
});

on('a program that never stops writing hears Ctrl-C, and all that it wrote last comes out', async (t) => {
  const { id } = await container(false);
  const script = "trap 'echo; seq 1 3000; exit 3' INT; while :; do echo flood; done";
  using seat = sit(['exec', id, 'sh', '-c', script]);
  await seat.screen.until(/(flood\r\n){1000}/);
  seat.screen.type('\x03');
  await seat.screen.until(/\n2998\r\n2999\r\n3000\r\n/);
  t.is(await seat.code(), 3);
  await seat.leave();
});

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const) {
  on(`${signal} gives the terminal back as it was`, async (t) => {
    const { id } = await container(false);
    using seat = sit(['exec', id, 'sh', '-i']);
    const pid = await seat.pid();
    await seat.screen.until(PROMPT);
    t.false(seat.isAsBefore());
    process.kill(pid, signal);
    t.is(await seat.code(), code);
    t.true(seat.isAsBefore());
    await seat.leave();
  });
}

on('an error in the middle gives the terminal back as it was', async (t) => {
  const { id } = await container(false);
  using seat = sit(['fail', id, 'sh', '-i']);
  await seat.screen.until(PROMPT);
  t.false(seat.isAsBefore());
  seat.screen.type('x');
  await seat.screen.until(/failed on purpose/);
  t.is(await seat.code(), 1);
  t.true(seat.isAsBefore());
  await seat.leave();
});

on('ctrl-p ctrl-q leaves, the container runs on, and its terminal can be had again', async (t) => {
  const { id, monitor } = await container(true);
  for (const time of [1, 2]) {
    using seat = sit(['attach', id]);
    seat.screen.type('\r');
    await seat.screen.until(PROMPT);
    seat.screen.type(`echo time-$((${time} + 10))\r`);
    await seat.screen.until(new RegExp(`time-1${time}\r\n`));
    seat.screen.type('\x10\x11');
    await seat.screen.until(/session left\r\n/);
    t.is(await seat.code(), 0);
    t.true(seat.isAsBefore());
    await seat.leave();
    t.is(readState(here().stateDirectory, id)?.status, 'running');
  }
  using seat = sit(['attach', id]);
  seat.screen.type('exit\r');
  await seat.screen.until(/session ended\r\n/);
  await monitor.ended;
  t.is(await seat.code(), 0);
  await seat.leave();
});

on('standard input that is no terminal goes in, and its end too', async (t) => {
  const { id } = await container(false);
  using seat = sit(['exec', id, 'sh', '-c', 'tty; cat; exit 6'], `printf 'one\\ntwo' | ${AS_LEADER}`);
  // The terminal echoes what comes in, before or after the program begins to speak.
  const screen = await seat.screen.until(/code \d+\r\n/);
  t.regex(screen, /\/dev\/pts\/0\r+\n/);
  t.regex(screen, /one\r.*two.*code 6\r/s);
  t.is(screen.match(/two/g)?.length, 2, 'once by the terminal, once by cat');
  t.true(seat.isAsBefore());
  await seat.leave();
});

on('more input than a terminal holds waits until the program takes it', async (t) => {
  const { id } = await container(false);
  const lines = `seq 100000 120000 | ${AS_LEADER}`;
  using seat = sit(['exec', id, 'sh', '-c', 'stty -echo; sleep 0.3; wc -l; exit 0'], lines);
  t.regex(await seat.screen.until(/code \d+\r\n/), /\n20001\r+\n.*code 0\r/s);
  await seat.leave();
});
