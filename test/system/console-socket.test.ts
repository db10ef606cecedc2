// berth-oci and the terminals of its containers: by a console socket as higher layers have it, and by hand.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { readable } from '../../src/linux/poll.ts';
import { receiveFd } from '../../src/linux/receive-fd.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { waitContainer } from '../../src/oci/runtime/wait.ts';
import { Screen } from '../tools/screen.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { ContainerScene } from './container-scene.ts';
import { Seat } from './seat.ts';

const unusable = containersUnusable('setsid', 'sh');
const scene = unusable === undefined ? new ContainerScene() : undefined;
const on = unusable === undefined ? test.serial : test.serial.skip;

function here(): ContainerScene {
  if (scene === undefined) throw new Error(unusable);
  return scene;
}

test.after.always(() => scene?.close());
if (unusable !== undefined) test(`skipped: ${unusable}`, (t) => t.pass());

const BERTH_OCI = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));
const PROMPT = /ready> /;

type Bundle = { readonly id: string; readonly directory: string };

function makeBundle(terminal: boolean): Bundle {
  const id = here().newId();
  const directory = join(here().directory, `bundle-${id}`);
  mkdirSync(directory);
  const config = here().config(id, { command: ['sh', '-i'], env: ['PS1=ready> '], terminal });
  writeFileSync(
    join(directory, 'config.json'),
    JSON.stringify({
      ...config,
      root: { path: here().layer },
      process: { ...config.process, consoleSize: { height: 17, width: 71 } },
    }),
  );
  return { id, directory };
}

function berthOci(...words: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(BERTH_OCI, ['--root', here().stateDirectory, ...words], (error, _, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr });
    });
  });
}

async function listen(name: string): Promise<{ readonly server: Server; readonly path: string }> {
  const path = join(here().directory, name);
  const server = createServer({ pauseOnConnect: true });
  server.listen(path);
  await once(server, 'listening');
  return { server, path };
}

/** The terminal that comes with the next connection. */
async function terminalFrom(server: Server): Promise<Screen> {
  const [connection] = (await once(server, 'connection')) as [Socket];
  const { fd } = (connection as unknown as { readonly _handle: { readonly fd: number } })._handle;
  await readable(fd);
  const terminal = receiveFd(fd, 'take');
  connection.destroy();
  if (terminal === undefined) throw new Error('no terminal came');
  return new Screen(terminal);
}

on('a created container sends its terminal to the console socket, and hangs up when it is closed there', async (t) => {
  const { id, directory } = makeBundle(true);
  const { server, path } = await listen('console.sock');
  const coming = terminalFrom(server);
  const created = await berthOci('create', '--bundle', directory, '--console-socket', path, id);
  t.deepEqual(created, { code: 0, stderr: '' });
  const screen = await coming;
  t.is((await berthOci('start', id)).code, 0);
  await screen.until(PROMPT);
  screen.type('tty; stty size\n');
  t.regex(await screen.until(/17 71\r\n/), /\r\n\/dev\/pts\/0\r\n/);
  screen[Symbol.dispose]();
  server.close();
  await waitContainer(here().stateDirectory, id);
  t.is(readState(here().stateDirectory, id)?.status, 'stopped');
  t.is((await berthOci('delete', id)).code, 0);
});

on('a detached run sends its terminal too', async (t) => {
  const { id, directory } = makeBundle(true);
  const { server, path } = await listen('detached.sock');
  const coming = terminalFrom(server);
  t.is((await berthOci('run', '--detach', '--bundle', directory, '--console-socket', path, id)).code, 0);
  using screen = await coming;
  server.close();
  await screen.until(PROMPT);
  screen.type('exit 3\n');
  await waitContainer(here().stateDirectory, id);
  t.is(readState(here().stateDirectory, id)?.status, 'stopped'); // how it ended is known to its parent alone
  t.is((await berthOci('delete', id)).code, 0);
});

on('a run at a terminal joins it with the one of the container', async (t) => {
  const { id, directory } = makeBundle(true);
  using seat = new Seat([BERTH_OCI, '--root', here().stateDirectory, 'run', '--bundle', directory, id]);
  await seat.screen.until(PROMPT);
  t.false(seat.isAsBefore());
  seat.screen.type('stty size; exit 5\r');
  await seat.screen.until(/\n30 100\r\n/);
  t.is(await seat.code(), 5);
  t.true(seat.isAsBefore());
  await seat.leave();
  t.deepEqual(here().remains(id), []);
});

for (const [what, terminal, words, message] of [
  ['a terminal without a socket', true, ['create'], /process\.terminal is true: --console-socket must say/],
  [
    'a detached terminal without a socket',
    true,
    ['run', '--detach'],
    /process\.terminal is true: --console-socket must/,
  ],
  ['a socket without a terminal', false, ['create', '--console-socket', '/s'], /process\.terminal is false/],
  [
    'a socket beside a terminal that stays',
    true,
    ['run', '--console-socket', '/s'],
    /joined with this one; use --detach/,
  ],
  ['a socket that is not there', true, ['create', '--console-socket', '/no/such'], /connect\(\/no\/such\): ENOENT/],
  ['a socket of a long name', true, ['create', '--console-socket', `/${'s'.repeat(200)}`], /107 bytes at most/],
] as const) {
  on(`${what} is refused, and nothing is left`, async (t) => {
    const { id, directory } = makeBundle(terminal);
    const { code, stderr } = await berthOci(...words, '--bundle', directory, id);
    t.is(code, 1);
    t.regex(stderr, message);
    t.deepEqual(here().remains(id), []);
  });
}
