import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { CAPABILITIES } from '../../../src/linux/capability.ts';
import { AUDIT_ARCH, compileSeccomp } from '../../../src/linux/seccomp/compile.ts';
import { unknownSyscalls } from '../../../src/linux/seccomp/decision.ts';
import { formatFilter, formatResult } from '../../../src/linux/seccomp/text.ts';
import { type NativeAbi, type SyscallAbi, syscallNumber } from '../../../src/linux/syscall-numbers.ts';
import {
  DEFAULT_CAPABILITIES,
  defaultDeviceRules,
  maskedPaths,
  READONLY_PATHS,
  thermalThrottlePaths,
  usableDeviceRules,
} from '../../../src/oci/runtime/defaults.ts';
import { defaultSeccomp } from '../../../src/oci/runtime/seccomp-default.ts';
import { assertGolden } from '../../assert-golden.ts';
import { runFilter } from '../../linux/seccomp/bpf-machine.ts';

type Asked = { readonly capabilities?: readonly string[]; readonly image?: string; readonly machine?: NativeAbi };

function decide(asked: Asked, abi: SyscallAbi, name: string, ...args: readonly bigint[]): string {
  const { capabilities = DEFAULT_CAPABILITIES, image = 'amd64', machine = 'x64' } = asked;
  const program = compileSeccomp(defaultSeccomp({ capabilities, architecture: image }), machine);
  return formatResult(runFilter(program, { nr: syscallNumber(abi, name), arch: AUDIT_ARCH[abi], args }));
}

test('the default filters are the ones in the golden files', (t) => {
  for (const [machine, architecture] of [
    ['x64', 'amd64'],
    ['x64', '386'],
    ['arm64', 'arm64'],
    ['arm64', 'arm'],
  ] as const) {
    const profile = defaultSeccomp({ capabilities: DEFAULT_CAPABILITIES, architecture });
    assertGolden(t, `seccomp/default-${architecture}.txt`, formatFilter(compileSeccomp(profile, machine)));
  }
});

test('every name in the default profile is a system call', (t) => {
  t.deepEqual(unknownSyscalls(defaultSeccomp({ capabilities: CAPABILITIES, architecture: '386' })), []);
});

test('ordinary calls are allowed on both machines', (t) => {
  for (const name of ['read', 'openat', 'execve', 'futex', 'accept4', 'epoll_pwait', 'getrandom', 'rseq', 'statx']) {
    t.is(decide({}, 'x64', name), 'ALLOW', name);
    t.is(decide({ machine: 'arm64', image: 'arm64' }, 'arm64', name), 'ALLOW', name);
  }
});

const behind = test.macro({
  exec(t, capability: string, names: readonly string[]) {
    for (const name of names) {
      t.is(decide({ capabilities: [] }, 'x64', name), 'ERRNO(EPERM)', `${name} without ${capability}`);
      t.is(decide({ capabilities: [capability] }, 'x64', name), 'ALLOW', `${name} with ${capability}`);
    }
  },
  title: (_, capability: string, names: readonly string[]) => `${capability} opens ${names.join(', ')}`,
});
test(behind, 'CAP_SYS_ADMIN', ['mount', 'umount2', 'unshare', 'setns', 'fsopen', 'open_tree_attr', 'sethostname']);
test(behind, 'CAP_SYS_CHROOT', ['chroot']);
test(behind, 'CAP_SYS_PTRACE', ['kcmp', 'pidfd_getfd', 'process_madvise']);
test(behind, 'CAP_SYS_MODULE', ['init_module', 'finit_module', 'delete_module']);
test(behind, 'CAP_SYS_TIME', ['settimeofday', 'clock_settime']);
test(behind, 'CAP_SYS_BOOT', ['reboot']);
test(behind, 'CAP_SYS_NICE', ['mbind', 'set_mempolicy_home_node']);
test(behind, 'CAP_DAC_READ_SEARCH', ['open_by_handle_at']);
test(behind, 'CAP_BPF', ['bpf']);
test(behind, 'CAP_PERFMON', ['perf_event_open']);
test(behind, 'CAP_SYSLOG', ['syslog']);

test('no capability opens key rings, io_uring, userfaultfd, kexec or pivot_root', (t) => {
  for (const name of ['keyctl', 'add_key', 'io_uring_setup', 'userfaultfd', 'kexec_load', 'pivot_root', 'swapon']) {
    t.is(decide({ capabilities: CAPABILITIES }, 'x64', name), 'ERRNO(EPERM)', name);
  }
});

test('clone makes processes and threads but no namespaces, and clone3 asks libc to use clone', (t) => {
  const thread = 0x3d0f00n;
  t.is(decide({}, 'x64', 'clone', thread), 'ALLOW');
  for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
    t.is(decide({}, 'x64', 'clone', flag | 17n), 'ERRNO(EPERM)', flag.toString(16));
  }
  t.is(decide({}, 'x64', 'clone3'), 'ERRNO(ENOSYS)');
  const admin = { capabilities: ['CAP_SYS_ADMIN'] };
  t.is(decide(admin, 'x64', 'clone', 0x10000000n), 'ALLOW');
  t.is(decide(admin, 'x64', 'clone3'), 'ALLOW');
});

test('sockets of AF_ALG and AF_VSOCK are denied, all other families allowed', (t) => {
  const denied = Array.from({ length: 46 }, (_, family) => family).filter(
    (family) => decide({}, 'x64', 'socket', BigInt(family)) !== 'ALLOW',
  );
  t.deepEqual(denied, [38, 40]);
  // The kernel takes an int: a caller cannot hide AF_ALG behind high bits that only the filter looks at.
  t.is(decide({}, 'x64', 'socket', 0x1_0000_0000n | 40n), 'ERRNO(EPERM)');
  t.is(decide({}, 'x64', 'socket', 0x1_0000_0000n | 38n), 'ERRNO(EPERM)');
});

test('personality may not switch address randomisation off', (t) => {
  t.is(decide({}, 'x64', 'personality', 0xffffffffn), 'ALLOW');
  t.is(decide({}, 'x64', 'personality', 8n), 'ALLOW');
  t.is(decide({}, 'x64', 'personality', 0x40000n), 'ERRNO(EPERM)');
});

test('32-bit calls are for 32-bit images only', (t) => {
  t.is(decide({}, 'ia32', 'read'), 'KILL_PROCESS');
  t.is(decide({ image: '386' }, 'ia32', 'read'), 'ALLOW');
  t.is(decide({ image: '386' }, 'ia32', 'socketcall'), 'ALLOW');
  t.is(decide({ image: '386' }, 'ia32', 'mount'), 'ERRNO(EPERM)');
  t.is(decide({ machine: 'arm64', image: 'arm64' }, 'arm', 'read'), 'KILL_PROCESS');
  t.is(decide({ machine: 'arm64', image: 'arm' }, 'arm', 'set_tls'), 'ALLOW');
});

test('device rules deny everything but the devices that every container has, and making nodes with CAP_MKNOD', (t) => {
  t.deepEqual(defaultDeviceRules(DEFAULT_CAPABILITIES), [{ allow: false, access: 'rwm' }]);
  t.deepEqual(defaultDeviceRules(['CAP_MKNOD']).slice(1), [
    { allow: true, type: 'c', access: 'm' },
    { allow: true, type: 'b', access: 'm' },
  ]);
  t.deepEqual(
    usableDeviceRules().map(({ allow, type, major, minor }) => `${allow} ${type} ${major}:${minor ?? '*'}`),
    ['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:2', '136:*'].map((device) => `true c ${device}`),
  );
});

test('default capabilities are ten known ones', (t) => {
  t.is(DEFAULT_CAPABILITIES.length, 10);
  t.deepEqual(
    DEFAULT_CAPABILITIES.filter((name) => !CAPABILITIES.includes(name)),
    [],
  );
});

test('paths are masked and read-only as Docker has them (SEC-17)', (t) => {
  const proc = 'acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats';
  const masked = [...proc.split(' ').map((name) => `/proc/${name}`), '/sys/devices/virtual/powercap', '/sys/firmware'];
  t.deepEqual(maskedPaths(), masked);
  t.deepEqual(READONLY_PATHS, ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']);
});

test('masked and read-only paths do not overlap', (t) => {
  t.deepEqual(
    maskedPaths().filter((path) => READONLY_PATHS.includes(path)),
    [],
  );
});

test('thermal_throttle is masked for each processor that has it', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'berth-cpus-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const path of ['cpu0/thermal_throttle', 'cpu10/thermal_throttle', 'cpu2/thermal_throttle', 'cpu3', 'cpufreq']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  const paths = thermalThrottlePaths(root);
  t.deepEqual(
    paths.map((path) => path.slice(root.length)),
    ['/cpu0/thermal_throttle', '/cpu2/thermal_throttle', '/cpu10/thermal_throttle'],
  );
  t.deepEqual(maskedPaths(paths).slice(-3), paths);
  t.deepEqual(thermalThrottlePaths(join(root, 'none')), []);
});
