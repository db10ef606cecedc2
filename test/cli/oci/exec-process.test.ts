import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { changedProcess, readProcess, type ProcessFlags } from '../../../src/cli/oci/exec-process.ts';
import type { Process } from '../../../src/oci/runtime/config.ts';

const BASE: Process = {
  args: ['init'],
  cwd: '/',
  env: ['A=0'],
  terminal: true,
  user: { uid: 0, gid: 0, additionalGids: [1] },
  capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], inheritable: [] },
};
const NONE: ProcessFlags = {
  cwd: undefined,
  env: [],
  tty: false,
  user: undefined,
  'additional-gids': [],
  cap: [],
  'no-new-privs': false,
  apparmor: undefined,
  'process-label': undefined,
};

test('without flags it is the process of the container with another program, and no terminal', (t) => {
  t.deepEqual(changedProcess(BASE, ['sh'], NONE), { ...BASE, args: ['sh'], terminal: false });
});

test('a flag adds or changes what it names', (t) => {
  const flags = { ...NONE, cwd: '/tmp', env: ['B=1'], tty: true, user: '5:6', 'additional-gids': ['7', '8,9'] };
  t.like(changedProcess(BASE, ['sh'], flags), {
    cwd: '/tmp',
    env: ['A=0', 'B=1'],
    terminal: true,
    user: { uid: 5, gid: 6, additionalGids: [1, 7, 8, 9] },
  });
  t.deepEqual(changedProcess(BASE, ['sh'], { ...NONE, user: '5' }).user, { uid: 5, gid: 0, additionalGids: [1] });
});

test('a capability is added to every set but the inheritable one', (t) => {
  t.deepEqual(changedProcess(BASE, ['sh'], { ...NONE, cap: ['CAP_KILL'] }).capabilities, {
    bounding: ['CAP_CHOWN', 'CAP_KILL'],
    effective: ['CAP_CHOWN', 'CAP_KILL'],
    permitted: ['CAP_KILL'],
    ambient: ['CAP_KILL'],
    inheritable: [],
  });
});

test('what cannot be is refused', (t) => {
  t.throws(() => changedProcess(BASE, [], NONE), { message: /args/ });
  t.throws(() => changedProcess(BASE, ['sh'], { ...NONE, cwd: 'tmp' }), { message: /cwd/ });
  for (const user of ['root', '-1', '1:x', ''])
    t.throws(() => changedProcess(BASE, ['sh'], { ...NONE, user }), { message: /--user/ });
});

test('a process of a file is checked as that of config.json', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-test-exec-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'process.json');
  const read = (process: object) => {
    writeFileSync(file, JSON.stringify(process));
    return readProcess(file);
  };
  const { process, warnings } = read({ ...BASE, env: null, capabilities: { bounding: ['CAP_CHOWN', 'CAP_OTHER'] } });
  t.deepEqual(process.capabilities, { bounding: ['CAP_CHOWN'] });
  t.deepEqual(warnings, ["process.capabilities: this Linux has no 'CAP_OTHER': left out"]);
  t.throws(() => read({ ...BASE, user: { uid: '0', gid: 0 } }), {
    message: /process\.user\.uid: "0" is not a whole number/,
  });
  t.throws(() => read({ ...BASE, cwd: 'tmp' }), { message: /process\.cwd: "tmp" is not an absolute path/ });
  t.throws(() => read({ ...BASE, args: [] }), { message: /process\.args is empty/ });
  t.throws(() => read({ ...BASE, rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }), {
    message: /rlimits\[0\]\.type/,
  });
});
