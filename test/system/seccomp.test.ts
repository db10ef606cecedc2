// Compiled filters in the kernel: a tape loads the filter, then makes one call, or becomes a program.
import { existsSync } from 'node:fs';

import test from 'ava';

import { PR_SET_NO_NEW_PRIVS } from '../../src/linux/prctl.ts';
import { compileSeccomp } from '../../src/linux/seccomp/compile.ts';
import { SECCOMP_SET_MODE_FILTER, type SeccompProfile } from '../../src/linux/seccomp/profile.ts';
import { nativeAbi } from '../../src/linux/syscall-numbers.ts';
import { exitGroup, failBlock } from '../../src/linux/tape/blocks.ts';
import { type Argument, bytes, type Operation, stringVector, text, words } from '../../src/linux/tape/operation.ts';
import { runTape } from '../../src/linux/tape/run.ts';
import { DEFAULT_CAPABILITIES } from '../../src/oci/runtime/defaults.ts';
import { defaultSeccomp } from '../../src/oci/runtime/seccomp-default.ts';

const architecture = { x64: 'amd64', arm64: 'arm64' }[nativeAbi()];
const DEFAULT = defaultSeccomp({ capabilities: DEFAULT_CAPABILITIES, architecture });

/** Load the filter of `profile`, make the calls, exit. Rejects with the call that failed, and its errno. */
async function underFilter(profile: SeccompProfile, operations: readonly Operation[]): Promise<string> {
  const filter = compileSeccomp(profile, nativeAbi());
  const program = words([filter.length / 8, bytes(filter, 'filter')], 'sock_fprog');
  const load: Operation[] = [
    { call: 'prctl', args: [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], what: 'set no_new_privs' },
    { call: 'seccomp', args: [SECCOMP_SET_MODE_FILTER, 0, program], what: 'load the filter' },
  ];
  const output = await runTape(
    {
      name: 'seccomp',
      blocks: [
        { label: 'main', zone: 'parent', operations: [...load, ...operations, exitGroup(0)] },
        failBlock('parent'),
      ],
    },
    { argv: ['berth-test-seccomp'] },
  );
  return output.toString();
}

const call = (name: string, ...args: readonly Argument[]): Operation => ({ call: name, args, what: `call ${name}` });
const program = (...argv: readonly string[]): Operation[] => [
  call('dup3', 3, 1, 0),
  call('dup3', 3, 2, 0),
  call('execve', text(argv[0] ?? ''), stringVector(argv), stringVector(['PATH=/usr/bin:/bin'])),
];

const CLONE_NEWUSER = 0x10000000;
const SIGCHLD = 17;

test('the kernel takes the default filter, and ordinary calls pass it', async (t) => {
  await t.notThrowsAsync(() => underFilter(DEFAULT, [call('getpid'), call('socket', 1, 1, 0), call('personality', 0)]));
});

const refused = test.macro({
  async exec(t, operation: Operation, code: string) {
    await t.throwsAsync(() => underFilter(DEFAULT, [operation]), { message: new RegExp(code) });
  },
  title: (title = '', _: Operation, code: string) => `${title}: ${code}`,
});
test('mount is refused', refused, call('mount', text('x'), text('/proc/self'), text('tmpfs'), 0, 0), 'EPERM');
test('a new user namespace is refused', refused, call('clone', CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), 'EPERM');
test('clone3 sends libc back to clone', refused, call('clone3', 0, 0), 'ENOSYS');
test('unshare is refused', refused, call('unshare', CLONE_NEWUSER), 'EPERM');
test('the crypto socket is refused', refused, call('socket', 38, 5, 0), 'EPERM');
test('io_uring is refused', refused, call('io_uring_setup', 1, 0), 'EPERM');
test('key rings are refused', refused, call('keyctl', 0, 0, 0, 0, 0), 'EPERM');
test('a call newer than the profile does not exist', refused, call('listns', 0, 0, 0, 0), 'ENOSYS');

test('a killing filter kills', async (t) => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['getppid'], action: 'SCMP_ACT_KILL_PROCESS' }],
  };
  await t.throwsAsync(() => underFilter(profile, [call('getppid')]), { message: /code 159 / });
});

test('arguments are compared as 64 bits', async (t) => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      {
        names: ['getpriority'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 7,
        args: [{ index: 1, op: 'SCMP_CMP_GT', value: 0xffff_ffff }],
      },
    ],
  };
  await t.notThrowsAsync(() => underFilter(profile, [call('getpriority', 0, 0)]));
  await t.throwsAsync(() => underFilter(profile, [call('getpriority', 0, 0x1_0000_0000n)]), { message: /E2BIG/ });
});

test('a shell pipeline runs under the default filter', async (t) => {
  t.is(await underFilter(DEFAULT, program('/bin/sh', '-c', 'printf "b\\na\\n" | sort | tr "\\n" "+"')), 'a+b+');
});

test('a program with many threads runs under the default filter', async (t) => {
  const script =
    'const { Worker } = require("worker_threads"); new Worker("process.exit(0)", { eval: true }).on("exit", () => ' +
    'require("dns").lookup("localhost", () => require("fs").stat("/", (e) => process.stdout.write("done " + e))))';
  t.is(await underFilter(DEFAULT, program(process.execPath, '-e', script)), 'done null');
});

(existsSync('/usr/bin/python3') ? test : test.skip)('python runs under the default filter', async (t) => {
  const script = 'import subprocess; print(subprocess.check_output(["echo", "ok"]).decode(), end="")';
  t.is(await underFilter(DEFAULT, program('/usr/bin/python3', '-c', script)), 'ok\n');
});

test('a tape ends also where the filter refuses that', async (t) => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['exit_group', 'execve'], action: 'SCMP_ACT_ERRNO' }],
  };
  await t.throwsAsync(() => underFilter(profile, [call('getpid')]), { message: /code 139 / }); // 128 + SIGSEGV
});
