import test from 'ava';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import { printOperation, printTape } from '../../../src/linux/tape/print.ts';
import { isOciError } from '../../../src/oci/error.ts';
import type { Process, RuntimeConfig } from '../../../src/oci/runtime/config.ts';
import { containerTape, type ContainerTapeOptions } from '../../../src/oci/runtime/container-tape.ts';
import { execTape } from '../../../src/oci/runtime/exec-tape.ts';
import { consoleOperations, terminalOperations } from '../../../src/oci/runtime/terminal-operations.ts';
import { assertGolden } from '../../assert-golden.ts';

const facts: ContainerTapeOptions['facts'] = {
  kindOf: () => undefined,
  modeOf: () => undefined,
  cgroupMounts: [],
  seccompFilter: undefined,
  seccompFlags: 0,
  capabilities: 1n,
  bounding: 1n,
  labels: { apparmor: false, selinux: false },
  mountPointOf: () => '/',
};

const sh: Process = {
  terminal: true,
  consoleSize: { height: 24, width: 80 },
  user: { uid: 1000, gid: 1000 },
  args: ['/bin/sh'],
  cwd: '/',
};

const dev = [
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
  { destination: '/dev/pts', type: 'devpts', source: 'devpts' },
];

function tapeOf(process: Process, mounts: RuntimeConfig['mounts'] = dev) {
  const config: RuntimeConfig = {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process,
    mounts,
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
  };
  return containerTape({
    config,
    rootfs: { kind: 'directory', path: '/r' },
    directory: '/s/containers/c1',
    cgroupTasks: [],
    cgroupDirectory: undefined,
    stdio: {},
    startFifo: undefined,
    facts,
  });
}

function execTapeOf(process: Process) {
  return execTape({
    process,
    cgroupTasks: ['/sys/fs/cgroup/pids/c1/tasks'],
    cgroupDirectory: undefined,
    facts,
    linux: {},
    labels: facts.labels,
  });
}

test('the tape of a container with a terminal', (t) => {
  const tape = tapeOf(sh);
  assertGolden(t, 'tape/terminal.txt', printTape(tape));
  t.notThrows(() => assemble(tape, 'x64'));
  t.notThrows(() => assemble(tape, 'arm64', 16384));
});

test('the tape of an exec in a terminal', (t) => {
  const tape = execTapeOf(sh);
  assertGolden(t, 'tape/exec-in-terminal.txt', printTape(tape));
  t.notThrows(() => assemble(tape, 'arm64'));
});

test('without a terminal there is none in either tape', (t) => {
  const process = { ...sh, terminal: false };
  for (const tape of [tapeOf(process), execTapeOf(process)]) t.notRegex(printTape(tape), /TIOC|SCM_RIGHTS|console/);
});

test('the one path below /dev/pts on the way to a terminal is the multiplexer, with no link followed (SEC-4)', (t) => {
  const calls = [...terminalOperations(sh), ...consoleOperations()].map(printOperation);
  t.deepEqual(
    calls.filter((line) => line.includes('pts')),
    ['openat2(AT_FDCWD, "/dev/pts/ptmx", {O_RDWR|O_NOCTTY|O_CLOEXEC, RESOLVE_NO_SYMLINKS}, 24) = <master>'],
  );
});

test("root's terminal stays root's, and a size that nobody named stays the kernel's", (t) => {
  const { consoleSize: _, ...process } = sh;
  const calls = terminalOperations({ ...process, user: { uid: 0, gid: 0 } }).map(printOperation);
  t.false(calls.some((line) => /fchown|TIOCSWINSZ/.test(line)));
});

test('/dev/console is made only in a /dev that is the container’s own', (t) => {
  const bound = [{ destination: '/dev', type: 'bind', source: '/dev', options: ['rbind'] }];
  t.regex(printTape(tapeOf(sh)), /\/dev\/console/);
  const tape = containerTape({
    config: {
      ociVersion: '1.2.0',
      root: { path: 'rootfs' },
      process: sh,
      mounts: bound,
      linux: { namespaces: [{ type: 'mount' }] },
    },
    rootfs: { kind: 'directory', path: '/r' },
    directory: '/s',
    cgroupTasks: [],
    cgroupDirectory: undefined,
    stdio: {},
    startFifo: undefined,
    facts: { ...facts, kindOf: () => 'directory' },
  });
  t.notRegex(printTape(tape), /console/);
});

for (const consoleSize of [
  { height: -1, width: 80 },
  { height: 24, width: 65_536 },
  { height: 24.5, width: 80 },
]) {
  test(`a terminal of ${consoleSize.height} × ${consoleSize.width} is refused`, (t) => {
    const error = t.throws(() => terminalOperations({ ...sh, consoleSize }), { message: /process\.consoleSize/ });
    t.true(isOciError(error, 'CONFIG_INVALID'));
  });
}
