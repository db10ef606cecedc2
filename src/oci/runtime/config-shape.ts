// Every property that config.md and config-linux.md of the OCI runtime specification 1.3 have: what it must look like, or that
// berth does not support it. docs/runtime-conformance.md says of each where it is acted on.
import { absolute, flag, listOf, mapOf, oneOf, record, text, unsupported, whole, type Shape } from './json-shape.ts';

const MAX_ID = 4294967294; // SEC-12: the last one is -1 to the kernel
const id = whole(0, MAX_ID);
const uint32 = whole(0, 0xffff_ffff);
const int32 = whole(-0x8000_0000, 0x7fff_ffff);
const int64 = whole(-(2 ** 63), 2 ** 63);
const uint64 = whole(-1, 2 ** 64); // -1 is what some tools write for 2^64-1
const texts = listOf(text);

const hook = record({ path: absolute, args: texts, env: texts, timeout: whole(1, 0x7fff_ffff) }, ['path']);
const mappings = listOf(
  record({ containerID: uint32, hostID: uint32, size: uint32 }, ['containerID', 'hostID', 'size']),
);

/** `process` of it, and the process of `exec`. */
export const PROCESS: Shape = record(
  {
    terminal: flag,
    consoleSize: record({ height: uint32, width: uint32 }, ['height', 'width']),
    user: record(
      {
        uid: id,
        gid: id,
        umask: whole(0, 0o7777),
        additionalGids: listOf(id),
        username: unsupported('a user name is for Windows; uid and gid say who the user is'),
      },
      ['uid', 'gid'],
    ),
    args: texts,
    commandLine: unsupported('a command line is for Windows; args says what to run'),
    env: texts,
    cwd: absolute,
    capabilities: record({ bounding: texts, effective: texts, inheritable: texts, permitted: texts, ambient: texts }),
    rlimits: listOf(record({ type: text, soft: uint64, hard: uint64 }, ['type', 'soft', 'hard'])),
    noNewPrivileges: flag,
    apparmorProfile: text,
    selinuxLabel: text,
    oomScoreAdj: whole(-1000, 1000),
    scheduler: record(
      {
        policy: text,
        nice: int32,
        priority: int32,
        flags: texts,
        runtime: uint64,
        deadline: uint64,
        period: uint64,
      },
      ['policy'],
    ),
    ioPriority: record({ class: text, priority: int32 }, ['class']),
    execCPUAffinity: record({ initial: text, final: text }),
  },
  ['user', 'cwd'],
);

const DEVICE_RULE = record({ allow: flag, type: text, major: int64, minor: int64, access: text }, ['allow']);
const THROTTLE = listOf(record({ major: int64, minor: int64, rate: uint64 }, ['major', 'minor', 'rate']));

const RESOURCES: Shape = record({
  devices: listOf(DEVICE_RULE),
  memory: record({
    limit: int64,
    reservation: int64,
    swap: int64,
    kernel: int64,
    kernelTCP: int64,
    swappiness: uint64,
    disableOOMKiller: flag,
    useHierarchy: flag,
    checkBeforeUpdate: flag,
  }),
  cpu: record({
    shares: uint64,
    quota: int64,
    burst: uint64,
    period: uint64,
    realtimeRuntime: int64,
    realtimePeriod: uint64,
    cpus: text,
    mems: text,
    idle: int64,
  }),
  pids: record({ limit: int64 }),
  blockIO: record({
    weight: whole(0, 0xffff),
    leafWeight: whole(0, 0xffff),
    weightDevice: listOf(
      record({ major: int64, minor: int64, weight: whole(0, 0xffff), leafWeight: whole(0, 0xffff) }, [
        'major',
        'minor',
      ]),
    ),
    throttleReadBpsDevice: THROTTLE,
    throttleWriteBpsDevice: THROTTLE,
    throttleReadIOPSDevice: THROTTLE,
    throttleWriteIOPSDevice: THROTTLE,
  }),
  hugepageLimits: listOf(record({ pageSize: text, limit: uint64 }, ['pageSize', 'limit'])),
  network: record({
    classID: uint32,
    priorities: listOf(record({ name: text, priority: uint32 }, ['name', 'priority'])),
  }),
  rdma: mapOf(record({ hcaHandles: uint32, hcaObjects: uint32 })),
  unified: mapOf(text),
});

/** Above 2^53 a bigint: see config-text.ts. */
const compared: Shape = (value, path) => (typeof value === 'bigint' ? undefined : whole(0, 2 ** 64)(value, path));
const COMPARISON: Shape = record({ index: whole(0, 5), value: compared, valueTwo: compared, op: text }, [
  'index',
  'value',
  'op',
]);

const SECCOMP: Shape = record(
  {
    defaultAction: text,
    defaultErrnoRet: uint32,
    architectures: texts,
    flags: texts,
    listenerPath: text,
    listenerMetadata: text,
    syscalls: listOf(
      record({ names: texts, action: text, errnoRet: uint32, args: listOf(COMPARISON) }, ['names', 'action']),
    ),
  },
  ['defaultAction'],
);

const LINUX: Shape = record({
  namespaces: listOf(record({ type: text, path: text }, ['type'])),
  uidMappings: mappings,
  gidMappings: mappings,
  timeOffsets: mapOf(record({ secs: int64, nanosecs: whole(0, 999_999_999) })),
  devices: listOf(
    record(
      {
        type: oneOf(['c', 'b', 'u', 'p']),
        path: text,
        major: int64,
        minor: int64,
        fileMode: uint32,
        uid: id,
        gid: id,
      },
      ['type', 'path'],
    ),
  ),
  netDevices: mapOf(record({ name: text })),
  cgroupsPath: text,
  resources: RESOURCES,
  intelRdt: unsupported('no resctrl group is made'),
  memoryPolicy: record({ mode: text, nodes: text, flags: texts }, ['mode']),
  rootfsPropagation: text,
  seccomp: SECCOMP,
  sysctl: mapOf(text),
  maskedPaths: texts,
  readonlyPaths: texts,
  mountLabel: text,
  personality: record({ domain: text, flags: texts }, ['domain']),
});

const elsewhere = unsupported('this is for another operating system, or for virtual machines');

/** config.json. */
export const CONFIG: Shape = record(
  {
    ociVersion: text,
    root: record({ path: text, readonly: flag }, ['path']),
    mounts: listOf(
      record(
        { destination: text, source: text, type: text, options: texts, uidMappings: mappings, gidMappings: mappings },
        ['destination'],
      ),
    ),
    process: PROCESS,
    hostname: text,
    domainname: text,
    hooks: record({
      prestart: listOf(hook),
      createRuntime: listOf(hook),
      createContainer: listOf(hook),
      startContainer: listOf(hook),
      poststart: listOf(hook),
      poststop: listOf(hook),
    }),
    annotations: mapOf(text),
    linux: LINUX,
    windows: elsewhere,
    solaris: elsewhere,
    freebsd: elsewhere,
    zos: elsewhere,
    vm: elsewhere,
  },
  ['ociVersion', 'root'],
);
