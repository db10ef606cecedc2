// What a process is given: arguments, environment, identity, limits, devices, namespaces.
import type { Seccomp } from '../../src/oci/runtime/config.ts';
import { linux, process, resources, type Case } from './oci-case.ts';

const STATUS = 'sed -n "/^\\(Cap\\|NoNew\\|Uid\\|Gid\\|Groups\\|Seccomp:\\|Umask\\)/p" /proc/self/status';
const CORE = 'crun links /dev/core to /proc/kcore, which nobody has asked for';
const ERRNO_RULE: Seccomp = {
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
  syscalls: [
    { names: ['sethostname'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 },
    { names: ['personality'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 0, op: 'SCMP_CMP_NE' }] },
    { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ],
};

/** By what they are about. */
export const PROCESS_CASES: Readonly<Record<string, Case>> = {
  'a program that succeeds': { script: 'true', expect: { code: 0, output: '' } },
  'an exit code': { script: 'exit 7', expect: { code: 7 } },
  'a child that was killed': { script: 'sh -c "kill -9 \\$\\$"; exit $?', expect: { code: 137 } },
  'both streams': { script: 'echo one; sleep 0.1; echo two >&2', expect: { output: 'one\ntwo\n' } },
  arguments: {
    script: '',
    change: process({ args: ['/bin/sh', '-c', 'for a; do echo "[$a]"; done', 'sh', 'a b', '', '$x', 'ü\n'] }),
    expect: { output: '[a b]\n[]\n[$x]\n[ü\n]\n' },
  },
  'the default status': { script: STATUS },
  environment: {
    script: 'env | sort',
    change: process({ env: ['PATH=/bin', 'HOME=/', 'A=1', 'B=x=y', 'EMPTY=', 'A_LONG_ONE='.padEnd(5000, 'z')] }),
  },
  'HOME that is not set': { script: 'echo $HOME', change: process({ env: ['PATH=/bin'] }) },
  'the same variable twice': { script: 'echo $A', change: process({ env: ['PATH=/bin', 'HOME=/', 'A=1', 'A=2'] }) },
  'a program from PATH': { script: '', change: process({ args: ['echo', 'found'] }), expect: { output: 'found\n' } },
  'a working directory': { script: 'pwd', change: process({ cwd: '/tmp' }) },
  'a working directory that is missing': {
    script: 'pwd; stat -c "%a %u" /srv/new',
    change: process({ cwd: '/srv/new' }),
  },
  'another user': { script: `${STATUS}; id`, change: process({ user: { uid: 1000, gid: 1000 } }) },
  'an unknown user': { script: STATUS, change: process({ user: { uid: 4242, gid: 4343 } }) },
  'additional groups': {
    script: STATUS,
    change: process({ user: { uid: 1000, gid: 1000, additionalGids: [10, 20, 30] } }),
  },
  umask: {
    script: 'umask; touch /tmp/x; stat -c %a /tmp/x',
    change: process({ user: { uid: 0, gid: 0, umask: 0o027 } }),
  },
  'resource limits': {
    script: 'cat /proc/self/limits | tr -s " "',
    change: process({
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 512, hard: 768 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
        { type: 'RLIMIT_NPROC', soft: 100, hard: 200 },
      ],
    }),
  },
  'no capability': { script: STATUS, change: process({ capabilities: {} }) },
  'ambient capabilities of another user': {
    script: STATUS,
    change: process({
      user: { uid: 1000, gid: 1000 },
      capabilities: {
        bounding: ['CAP_NET_BIND_SERVICE', 'CAP_KILL'],
        permitted: ['CAP_NET_BIND_SERVICE', 'CAP_KILL'],
        effective: ['CAP_NET_BIND_SERVICE'],
        inheritable: ['CAP_NET_BIND_SERVICE'],
        ambient: ['CAP_NET_BIND_SERVICE'],
      },
    }),
  },
  'new privileges allowed': { script: STATUS, change: process({ noNewPrivileges: false }) },
  'an OOM score': { script: 'cat /proc/self/oom_score_adj', change: process({ oomScoreAdj: 321 }) },
  'a host name': { script: 'hostname', change: (config) => ({ ...config, hostname: 'some-name' }) },
  'a system call that is refused': {
    script: 'hostname x 2>&1; mkdir /tmp/d 2>&1; setarch i686 true 2>&1; echo end',
    change: (config) => ({
      ...config,
      process: { ...config.process, noNewPrivileges: true },
      linux: { ...config.linux, seccomp: ERRNO_RULE },
    }),
  },
  'a system call that is refused, with new privileges allowed': {
    script: 'hostname x 2>&1; sed -n "/^Seccomp:/p" /proc/self/status',
    change: (config) => ({
      ...config,
      process: { ...config.process, noNewPrivileges: false },
      linux: { ...config.linux, seccomp: ERRNO_RULE },
    }),
  },
  'a limit of processes': {
    script:
      'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>&1; cat /sys/fs/cgroup/pids/pids.max; kill $(jobs -p) 2>/dev/null',
    change: resources({ pids: { limit: 5 } }),
    normal: (output) => output.replaceAll(/^.*(can't fork|Cannot fork|Resource temporarily).*$/gm, 'no fork'),
  },
  'limits of memory and processor': {
    script: `cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes
      cat cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us`,
    change: resources({
      memory: { limit: 64 << 20, reservation: 32 << 20 },
      cpu: { shares: 300, quota: 20_000, period: 50_000 },
    }),
  },
  'too much memory': {
    script: 'head -c 100000000 /dev/zero | tail -c 90000000 | wc -c; echo ${PIPESTATUS:-end}',
    change: resources({ memory: { limit: 16 << 20, swap: 16 << 20 } }),
    normal: (output) => output.replaceAll(/^Killed\n/gm, ''),
  },
  'device rules': {
    script: 'head -c1 /dev/zero | wc -c; head -c1 /dev/kmsg 2>&1 | wc -c',
    change: (config) => ({
      ...config,
      linux: {
        ...config.linux,
        devices: [{ type: 'c', path: '/dev/kmsg', major: 1, minor: 11, fileMode: 0o666, uid: 0, gid: 0 }],
        resources: { devices: [{ allow: false, access: 'rwm' }] },
      },
    }),
    normal: (output) => output.replaceAll(/\d\d+/g, 'refused'),
  },
  'devices that are named': {
    script: 'ls /dev; stat -c "%n %F %t:%T %a %u:%g" /dev/my /dev/pipe /dev/null /dev/ptmx',
    change: linux({
      devices: [
        { type: 'c', path: '/dev/my', major: 1, minor: 5, fileMode: 0o640, uid: 1000, gid: 7 },
        { type: 'p', path: '/dev/pipe', fileMode: 0o600 },
      ],
    }),
    differs: { crun: CORE },
  },
  'the default /dev': {
    script: 'ls -l /dev | tr -s " " | cut -d" " -f1,3-6,9- | sort',
    normal: (output) => output.replaceAll(/ \d\d:\d\d /g, ' '),
    differs: { crun: CORE },
  },
  'sysctls of namespaces': {
    script:
      'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max',
    change: linux({
      sysctl: {
        'net.ipv4.ip_forward': '1',
        'net.core.somaxconn': '1000',
        'kernel.msgmax': '4096',
        'fs.mqueue.msg_max': '99',
      },
    }),
    expect: { output: '1\n1000\n4096\n99\n' },
  },
  'the network of a new namespace': { script: 'ls /sys/class/net; ip -o addr show | tr -s " "' },
  descriptors: { script: 'ls /proc/1/fd' },
  'process numbers and session': { script: 'echo $$; cut -d" " -f4-7 /proc/1/stat' },
  'mount points': {
    script: 'cut -d" " -f5 /proc/self/mountinfo | grep -v "^/proc/\\|^/sys/\\|^/dev/console" | sort',
  },
  'mount options': {
    script:
      'grep " /\\(dev\\|proc\\|sys\\)[^ ]* " /proc/self/mountinfo | cut -d" " -f5,6 | grep -v "^/proc/\\|^/sys/f" | sort',
  },
  'an empty PATH': { script: '', change: process({ args: ['/bin/echo', 'x'], env: [] }) },
};
