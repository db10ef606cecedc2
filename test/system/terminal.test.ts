// Terminals of containers, typed into.
import { readdirSync } from 'node:fs';

import test from 'ava';

import { setWindowSize } from '../../src/linux/pty.ts';
import { shellExitCode, type ExitStatus } from '../../src/linux/siginfo.ts';
import { isOciError } from '../../src/oci/error.ts';
import type { Process } from '../../src/oci/runtime/config.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { execInTerminal } from '../../src/oci/runtime/exec.ts';
import { readConfig } from '../../src/oci/runtime/read-config.ts';
import type { ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import type { Monitor } from '../../src/oci/runtime/monitor.ts';
import { startContainer } from '../../src/oci/runtime/start.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { openTerminal } from '../../src/oci/runtime/terminal.ts';
import { Screen } from '../tools/screen.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { ContainerScene } from './container-scene.ts';

const unusable = containersUnusable();
const scene = unusable === undefined ? new ContainerScene() : undefined;
const on = unusable === undefined ? test.serial : test.serial.skip;

function here(): ContainerScene {
  if (scene === undefined) throw new Error(unusable);
  return scene;
}

test.after.always(() => scene?.close());
if (unusable !== undefined) test(`skipped: ${unusable}`, (t) => t.pass());

type Started = { readonly id: string; readonly screen: Screen; readonly monitor: Monitor };

const PROMPT = /ready> /;
const SHELL: Partial<ContainerOptions> = {
  command: ['sh', '-i'],
  env: ['PS1=ready> '],
  terminal: true,
  terminalSize: { rows: 33, columns: 111 },
};

/** A program that is not interactive: it runs `script`, says that it did, and waits for signals. */
function waiting(script: string): { readonly command: readonly string[] } {
  return { command: ['sh', '-c', `${script}; echo set; while :; do sleep 0.1; done`] };
}

async function start(options: Partial<ContainerOptions> = {}, more: Partial<CreateRequest> = {}): Promise<Started> {
  const id = here().newId();
  const request = here().request(id, { ...SHELL, ...options }, { logFile: undefined, ...more });
  const monitor = await createContainer(here().runtime, request);
  if (monitor.terminal === undefined) throw new Error('no terminal');
  return { id, screen: new Screen(monitor.terminal), monitor };
}

function exitCode(id: string): number | undefined {
  const exit = readState(here().stateDirectory, id)?.exit;
  return exit === undefined ? undefined : shellExitCode(exit);
}

function processIn(id: string, more: Partial<Process>): Process {
  const process = readConfig(here().runtime, id).process;
  if (process === undefined) throw new Error('no process');
  return { ...process, ...more };
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

async function run(id: string, more: Partial<Process>): Promise<{ shown: string; ended: Promise<ExitStatus> }> {
  const { terminal, ended } = await execInTerminal(here().runtime, { id, process: processIn(id, more) });
  using screen = new Screen(terminal);
  return { shown: await screen.rest(), ended };
}

on('a shell has the first terminal of its container, of the size asked for, and job control', async (t) => {
  const { id, screen, monitor } = await start();
  using _screen = screen;
  const greeting = await screen.until(PROMPT);
  t.notRegex(greeting, /job control|access tty/);
  screen.type('tty; stty size; readlink /proc/self/fd/2; stat -c %t:%T /dev/console\n');
  t.regex(await screen.until(/88:0\r\n/), /\r\n\/dev\/pts\/0\r\n33 111\r\n\/dev\/pts\/0\r\n88:0\r\n$/);
  screen.type('sleep 1000 & jobs; kill %1; exit 7\n');
  await monitor.ended;
  t.regex(await screen.rest(), /\[1\]\+? +Running/);
  t.is(exitCode(id), 7);
});

on('a new size reaches the program, with a signal', async (t) => {
  const { id, screen, monitor } = await start(waiting("stty size; trap 'stty size; exit 8' WINCH"));
  using _screen = screen;
  t.is(await screen.until(/set\r\n/), '33 111\r\nset\r\n');
  setWindowSize(screen.master.number, { rows: 10, columns: 40 });
  t.is(await screen.until(/\d+ \d+\r\n/), '10 40\r\n');
  await monitor.ended;
  t.is(exitCode(id), 8);
});

on('Ctrl-C interrupts the program in the foreground, and the shell goes on', async (t) => {
  const { id, screen, monitor } = await start();
  using _screen = screen;
  await screen.until(PROMPT);
  screen.type("sh -c 'echo began; exec sleep 1000'\n");
  await screen.until(/\nbegan\r\n/);
  screen.type('\x03');
  await screen.until(PROMPT);
  screen.type('echo it was $?; exit 5\n');
  await monitor.ended;
  t.regex(await screen.rest(), /\r\nit was 130\r\n/);
  t.is(exitCode(id), 5);
});

on("the terminal belongs to the process's user and to group tty, and can be opened by its name", async (t) => {
  const script = 'stat -c %u:%g:%a /dev/pts/0; echo by name > /dev/pts/0; echo by tty > /dev/tty';
  const { screen, monitor } = await start({ command: ['sh', '-c', script], user: { uid: 1000, gid: 1000 } });
  using _screen = screen;
  await monitor.ended;
  t.is(await screen.rest(), '1000:5:620\r\nby name\r\nby tty\r\n');
});

on('everything that a program writes before it ends comes out', async (t) => {
  const { screen, monitor } = await start({ command: ['seq', '1', '20000'] });
  using _screen = screen;
  const shown = await screen.rest();
  await monitor.ended;
  t.deepEqual(shown.split('\r\n'), [...Array.from({ length: 20_000 }, (_, index) => String(index + 1)), '']);
});

on('a process that is run in a container has a terminal of its own there', async (t) => {
  const { id, screen, monitor } = await start();
  using _screen = screen;
  await screen.until(PROMPT);
  const args = ['sh', '-c', 'tty; stty size; stat -c %u /dev/pts/1; exit 9'];
  const consoleSize = { height: 20, width: 60 };
  const { shown, ended } = await run(id, { args, consoleSize, user: { uid: 1000, gid: 1000 }, capabilities: {} });
  t.is(shown, '/dev/pts/1\r\n20 60\r\n1000\r\n');
  t.deepEqual(await ended, { code: 9 });
  const missing = await run(id, { args: ['/bin/no-such'] });
  const error = await t.throwsAsync(missing.ended, { message: /run \/bin\/no-such: ENOENT/ });
  t.true(isOciError(error, 'START_FAILED'));
  screen.type('exit\n');
  await monitor.ended;
});

on('what a container does to its own names of terminals leads no exec astray (SEC-4)', async (t) => {
  const { id, screen, monitor } = await start();
  using _screen = screen;
  await screen.until(PROMPT);
  const swap = 'echo secret > /tmp/fake; for name in ptmx tty; do rm /dev/$name; ln -s /tmp/fake /dev/$name; done';
  screen.type(`${swap}; rm /dev/pts/ptmx /dev/pts/0; mv /dev/pts /dev/away; echo swapped\n`);
  await screen.until(/\nswapped\r\n/);
  const { shown, ended } = await run(id, { args: ['tty'] });
  t.is(shown, '/dev/pts/1\r\n');
  t.deepEqual(await ended, { code: 0 });
  screen.type('exit\n');
  await monitor.ended;
});

on('a container that may mount and puts a link in the place of its terminals is given none (SEC-4)', async (t) => {
  const { id, screen, monitor } = await start({ capabilitiesAdd: ['SYS_ADMIN', 'MKNOD'], seccomp: 'unconfined' });
  using _screen = screen;
  await screen.until(PROMPT);
  screen.type(
    'mkdir /tmp/pts; mknod /tmp/pts/ptmx c 5 2; umount -l /dev/pts && rmdir /dev/pts && ln -s /tmp/pts /dev/pts',
  );
  screen.type(' && echo swapped\n');
  await screen.until(/\nswapped\r\n/);
  const running = execInTerminal(here().runtime, { id, process: processIn(id, { args: ['tty'] }) });
  const error = await t.throwsAsync(running, { message: /\/dev\/pts\/ptmx.*: ELOOP/ });
  t.true(isOciError(error, 'START_FAILED'));
  screen.type('exit\n');
  await monitor.ended;
});

on('a terminal that is kept outlives whoever started the container, and can be had again', async (t) => {
  const { id, screen, monitor } = await start();
  await screen.until(PROMPT);
  screen.type('word=remembered\n');
  await screen.until(PROMPT);
  screen[Symbol.dispose]();
  for (const _ of [1, 2]) {
    using again = new Screen(openTerminal(here().runtime, id));
    again.type('echo $word; tty\n');
    t.regex(await again.until(/pts\/0\r\n/), /\nremembered\r\n\/dev\/pts\/0/);
    await again.until(PROMPT);
  }
  using last = new Screen(openTerminal(here().runtime, id));
  last.type('exit 4\n');
  await monitor.ended;
  t.is(exitCode(id), 4);
  const error = t.throws(() => openTerminal(here().runtime, id));
  t.true(isOciError(error, 'CONTAINER_STATE'));
});

on('a terminal that is handed out hangs up when it is closed', async (t) => {
  const { id, screen, monitor } = await start(waiting("trap 'exit 3' HUP"), { terminal: 'handed-out' });
  await screen.until(/set\r\n/);
  const error = t.throws(() => openTerminal(here().runtime, id));
  t.true(isOciError(error, 'CONTAINER_STATE'));
  screen[Symbol.dispose]();
  await monitor.ended;
  t.is(exitCode(id), 3);
});

on('a process that is run in a terminal hangs up when that is closed', async (t) => {
  const { id, screen, monitor } = await start();
  using _screen = screen;
  await screen.until(PROMPT);
  const process = processIn(id, { args: waiting("trap 'exit 6' HUP").command });
  const { terminal, ended } = await execInTerminal(here().runtime, { id, process });
  const other = new Screen(terminal);
  await other.until(/set\r\n/);
  other[Symbol.dispose]();
  t.deepEqual(await ended, { code: 6 });
  screen.type('exit\n');
  await monitor.ended;
});

on('a container that is only created has its terminal already', async (t) => {
  const { id, screen, monitor } = await start({}, { mode: 'create' });
  using _screen = screen;
  screen.type('tty\n');
  await startContainer(here().runtime, id);
  await screen.until(/\r\n\/dev\/pts\/0\r\n/);
  screen.type('exit 2\n');
  await monitor.ended;
  t.is(exitCode(id), 2);
});

on('a terminal without a devpts is refused by the name of what is missing', async (t) => {
  const id = here().newId();
  const request = here().request(id, SHELL, { logFile: undefined });
  const mounts = request.config.mounts?.filter(({ type }) => type !== 'devpts') ?? [];
  const creating = createContainer(here().runtime, { ...request, config: { ...request.config, mounts } });
  const error = await t.throwsAsync(creating, {
    message: /\/dev\/pts\/ptmx, where config\.json must mount a devpts: ENOENT/,
  });
  t.true(isOciError(error, 'START_FAILED'));
  t.deepEqual(here().remains(id), []);
});

on('terminals leave no descriptor behind', async (t) => {
  const { id, screen, monitor } = await start();
  using _screen = screen;
  await screen.until(PROMPT);
  await (
    await run(id, { args: ['true'] })
  ).ended;
  const before = openDescriptors();
  for (let time = 0; time < 10; time += 1) {
    await (
      await run(id, { args: ['true'] })
    ).ended;
    await t.throwsAsync((await run(id, { args: ['/no-such'] })).ended);
  }
  t.is(openDescriptors(), before);
  screen.type('ls /dev/pts; exit\n');
  await monitor.ended;
  t.regex(await screen.rest(), /\r\n0 +ptmx\r\n/);
});
