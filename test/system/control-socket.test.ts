// The agent's socket answers root and nobody else, even where its modes would let others in.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import baseTest from 'ava';

import { serveControl } from '../../src/agent/control-server.ts';

const reason = process.getuid?.() === 0 ? undefined : 'needs root';
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const NOBODY = 65534;
const ASK = `
  const socket = require('node:net').connect(process.argv[1], () => socket.write('{"method":"reconcile"}\\n'));
  socket.on('data', (data) => { console.log(String(data)); socket.destroy(); });
  socket.on('error', (error) => console.log(error.code));
`;

/** What a process of this user gets for an answer. */
function askAs(uid: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', ASK, path], { uid, gid: uid, cwd: '/' }, (_error, stdout) =>
      resolve(stdout.trim()),
    );
  });
}

test(`only root is answered on the control socket${skipped}`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-socket-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'agent.sock');
  let asked = 0;
  const service = await serveControl(path, {
    status: () => Promise.reject(new Error('not asked for')),
    plan: () => Promise.reject(new Error('not asked for')),
    reconcile: () => {
      asked += 1;
      return {};
    },
    events: () => Promise.reject(new Error('not asked for')),
  });
  t.teardown(() => service.close());
  chmodSync(directory, 0o755);
  t.is(await askAs(NOBODY, path), 'EACCES', 'the mode of the socket keeps others out');
  chmodSync(path, 0o666);
  t.notRegex(await askAs(NOBODY, path), /ok/);
  t.is(asked, 0);
  t.is(await askAs(0, path), '{"ok":true,"result":{}}');
  t.is(asked, 1);
});
