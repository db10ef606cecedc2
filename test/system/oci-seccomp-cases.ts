// What linux.seccomp does to a program, profile by profile.
import type { Seccomp } from '../../src/oci/runtime/config.ts';
import { defaultSeccomp } from '../../src/oci/runtime/seccomp-default.ts';
import { linux, process, type Case, type Change } from './oci-case.ts';

type Rules = NonNullable<Seccomp['syscalls']>;
const NATIVE = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'];

/** A rule over each call that makes a directory. */
const mkdir = (rest: Omit<Rules[number], 'names'>): Rules[number] => ({ names: ['mkdir', 'mkdirat'], ...rest });
const errno = (errnoRet: number): Omit<Rules[number], 'names'> => ({ action: 'SCMP_ACT_ERRNO', errnoRet });
const all = (...changes: readonly Change[]): Change => {
  return (config, directory) => changes.reduce((changed, change) => change(changed, directory), config);
};

function allowing(...syscalls: Rules): Change {
  return linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: NATIVE, syscalls } });
}

const PROBE = 'exec 2>&1; mkdir /tmp/x; echo $?; rmdir /tmp/x 2>&1; echo $?';
const SIGNAL = 'exec 2>&1; sh -c "mkdir /tmp/x"; echo $?';
/** The mode of a directory is the second argument of mkdir and the third of mkdirat. */
const MODES = 'for mode in 700 750 711 500; do mkdir -m $mode /tmp/$mode 2>/dev/null; echo $mode $?; done';
/** Busybox makes directories with mode 777 and changes that later: the id that it gives a file is an argument. */
const OWNERS =
  'touch /tmp/f; for id in 0 1 5 9 70000 4294967294; do chown -h $id /tmp/f 2>/dev/null; echo $id $?; done';
type Compared = NonNullable<Rules[number]['args']>;
const chown = (args: Compared, rest: Omit<Rules[number], 'names' | 'args'> = errno(5)): Rules[number] => ({
  names: ['lchown'],
  ...rest,
  args,
});
const uid = (op: Compared[number]['op'], value: number, valueTwo?: number): Compared[number] => ({
  index: 1,
  op,
  value,
  ...(valueTwo === undefined ? {} : { valueTwo }),
});

/** More than three hundred names and conditions, as container engines give to every container. */
const ENGINE = linux({
  seccomp: {
    ...defaultSeccomp({ capabilities: ['CAP_SYS_CHROOT'], architecture: 'amd64' }),
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  },
});
export const SECCOMP_CASES: Readonly<Record<string, Case>> = {
  'seccomp: an empty list of rules': { script: PROBE, change: allowing() },
  'seccomp: an error of its own': { script: PROBE, change: allowing(mkdir(errno(28))) },
  'seccomp: the error when none is given': { script: PROBE, change: allowing(mkdir({ action: 'SCMP_ACT_ERRNO' })) },
  'seccomp: the error 0': { script: 'mkdir /tmp/x; echo $?; ls /tmp', change: allowing(mkdir(errno(0))) },
  'seccomp: KILL': { script: SIGNAL, change: allowing(mkdir({ action: 'SCMP_ACT_KILL' })) },
  'seccomp: KILL_THREAD': {
    script: SIGNAL,
    change: allowing(mkdir({ action: 'SCMP_ACT_KILL_THREAD' })),
  },
  'seccomp: KILL_PROCESS': {
    script: SIGNAL,
    change: allowing(mkdir({ action: 'SCMP_ACT_KILL_PROCESS' })),
  },
  'seccomp: TRAP': { script: SIGNAL, change: allowing(mkdir({ action: 'SCMP_ACT_TRAP' })) },
  'seccomp: TRACE without a tracer': {
    script: PROBE,
    change: allowing(mkdir({ action: 'SCMP_ACT_TRACE', errnoRet: 7 })),
  },
  'seccomp: LOG': { script: PROBE, change: allowing(mkdir({ action: 'SCMP_ACT_LOG' })) },
  'seccomp: unknown names': {
    script: PROBE,
    change: allowing({ names: ['no_such_call', 'mkdir', 'mkdirat'], ...errno(28) }),
    normal: (output) => output.replace(/^.*no_such_call.*\n/gm, ''),
  },
  'seccomp: the same call twice': { script: PROBE, change: allowing(mkdir(errno(28)), mkdir(errno(5))) },
  'seccomp: a rule of what is the default': {
    script: PROBE,
    change: allowing(mkdir({ action: 'SCMP_ACT_ALLOW' }), mkdir(errno(5))),
  },
  'seccomp: one value': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_EQ', 5)])) },
  'seccomp: every other value': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_NE', 5)])) },
  'seccomp: below a value': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_LT', 5)])) },
  'seccomp: up to a value': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_LE', 5)])) },
  'seccomp: above a value': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_GT', 5)])) },
  'seccomp: from a value': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_GE', 5)])) },
  'seccomp: some bits': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_MASKED_EQ', 0x9, 0x1)])) },
  'seccomp: bits outside the mask': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_MASKED_EQ', 0x9, 0xf1)])) },
  'seccomp: a value of 64 bits': { script: OWNERS, change: allowing(chown([uid('SCMP_CMP_GT', 2 ** 32)])) },
  'seccomp: two arguments': {
    script: OWNERS,
    change: allowing(chown([uid('SCMP_CMP_EQ', 5), { index: 2, op: 'SCMP_CMP_EQ', value: 0xffffffff }])),
  },
  'seccomp: the same argument twice': {
    script: OWNERS,
    change: allowing(chown([uid('SCMP_CMP_EQ', 5), uid('SCMP_CMP_EQ', 9)])),
  },
  'seccomp: several rules for one call': {
    script: 'touch /tmp/f; for id in 0 1 5 9 70000; do chown -h $id /tmp/f 2>&1; echo $?; done',
    change: allowing(
      chown([uid('SCMP_CMP_GE', 5)], errno(11)),
      chown([uid('SCMP_CMP_EQ', 9)], errno(12)),
      chown([uid('SCMP_CMP_EQ', 1)], { action: 'SCMP_ACT_LOG' }),
    ),
  },
  'seccomp: a rule without conditions beside others': {
    script: OWNERS,
    change: allowing(chown([uid('SCMP_CMP_EQ', 5)], { action: 'SCMP_ACT_KILL' }), { names: ['lchown'], ...errno(28) }),
  },
  'seccomp: two actions under the same conditions': {
    script: 'echo ran',
    change: allowing(chown([uid('SCMP_CMP_EQ', 5)], errno(11)), chown([uid('SCMP_CMP_EQ', 5)], errno(12))),
    codes: 'failure',
    normal: () => '',
  },
  'seccomp: modes': { script: MODES, change: allowing({ names: ['chmod'], ...errno(1) }) },
  'seccomp: all but a profile of many calls': {
    script: `${PROBE}; mount -t tmpfs x /tmp; unshare -m true; chroot / true; echo $?`,
    change: ENGINE,
  },
  'seccomp: a newer call than the profile knows': {
    script: 'dd if=/dev/zero of=/tmp/f bs=1 count=1 2>/dev/null; cat /tmp/f | wc -c; echo $?',
    change: linux({
      seccomp: {
        ...defaultSeccomp({ capabilities: [], architecture: 'amd64' }),
        architectures: NATIVE,
      },
    }),
  },
  'seccomp: without no_new_privs, by another user': {
    script: `exec 2>&1; id -u; grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; ${PROBE}`,
    change: all(allowing(mkdir(errno(28))), process({ noNewPrivileges: false, user: { uid: 1000, gid: 1000 } })),
  },
  'seccomp: without no_new_privs, by root': {
    script: `exec 2>&1; grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; ${PROBE}`,
    change: all(allowing(mkdir(errno(28))), process({ noNewPrivileges: false })),
  },
  'seccomp: calls that the runtime makes': {
    script: 'grep Seccomp: /proc/self/status',
    change: all(
      // Not KILL: runc 1.1 would wait for its first process forever.
      allowing({
        names: ['setresuid', 'setresgid', 'setgroups', 'capset', 'prctl', 'chdir'],
        action: 'SCMP_ACT_ERRNO',
      }),
      process({ noNewPrivileges: false, user: { uid: 1000, gid: 1000 } }),
    ),
    expect: { code: 0, output: 'Seccomp:\t2\n' },
    differs: { runc: 'runc makes them after the filter is loaded', crun: 'crun makes them after the filter is loaded' },
  },
  'seccomp: a flag': {
    script: PROBE,
    change: linux({
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG'], syscalls: [mkdir(errno(28))] },
    }),
    differs: { runc: 'runc 1.1 takes no flags' },
  },
  'seccomp: an unknown flag': refusal({ defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_X'] }),
  'seccomp: an unknown action': refusal({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [mkdir({ action: 'SCMP_ACT_X' as 'SCMP_ACT_LOG' })],
  }),
  'seccomp: an unknown architecture': refusal({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X'] }),
  'seccomp: a listener for write': refusal({
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath: '/nowhere',
    syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }],
  }),
  'seccomp: a listener that nobody is': refusal({
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath: '/nowhere/agent.sock',
    syscalls: [mkdir({ action: 'SCMP_ACT_NOTIFY' })],
  }),
};

function refusal(seccomp: Seccomp): Case {
  return {
    script: 'echo ran',
    change: linux({ seccomp }),
    codes: 'failure',
    normal: (output) => (output.includes('ran\n') ? 'ran' : ''),
  };
}
