import test from 'ava';

import { printTape } from '../../../src/linux/tape/print.ts';
import { assemble } from '../../../src/linux/tape/assemble.ts';
import { isOciError } from '../../../src/oci/error.ts';
import type { Mount, RuntimeConfig } from '../../../src/oci/runtime/config.ts';
import { containerTape, type ContainerTapeOptions } from '../../../src/oci/runtime/container-tape.ts';
import { execTape } from '../../../src/oci/runtime/exec-tape.ts';
import { defaultSeccomp } from '../../../src/oci/runtime/seccomp-default.ts';
import { generateConfig, type ContainerOptions } from '../../../src/oci/runtime/generate-config.ts';
import { assertGolden } from '../../assert-golden.ts';

const image = {
  architecture: 'amd64',
  os: 'linux',
  config: { Entrypoint: ['/server'], Env: ['PATH=/bin'] },
  rootfs: { diff_ids: [] },
};

const machine = { thermalThrottle: [], defaultSeccomp };

const defaults: ContainerOptions = {
  hostname: 'web-0',
  env: [],
  home: '/root',
  user: { uid: 0, gid: 0 },
  mounts: [],
  resources: {},
  capabilitiesAdd: [],
  capabilitiesDrop: [],
  privileged: false,
  readonlyRootfs: false,
  noNewPrivileges: true,
  seccomp: 'default',
  terminal: false,
  cgroupPath: '/berth/c1',
};

const facts: ContainerTapeOptions['facts'] = {
  kindOf: (path) =>
    /^\/(proc\/(kcore|keys|timer_list|sysrq-trigger)|etc\/app\.conf)$/.test(path)
      ? 'file'
      : path.includes('missing')
        ? undefined
        : 'directory',
  modeOf: (path) => (path === '/private' ? 0o700 : undefined),
  cgroupMounts: [{ version: 2, directory: '', options: '' }],
  seccompFilter: Buffer.alloc(16),
  seccompFlags: 0,
  capabilities: (1n << 41n) - 1n,
  bounding: (1n << 41n) - 1n,
  labels: { apparmor: false, selinux: false },
  mountPointOf: () => '/',
};

const overlay = {
  kind: 'overlay',
  lowers: ['/r/layers/b', '/r/layers/a'],
  upper: '/r/u',
  work: '/r/w',
  base: '/r/layers',
} as const;

function tapeOf(options: Partial<ContainerOptions>, more: Partial<ContainerTapeOptions> = {}) {
  const config = generateConfig(image, { ...defaults, ...options }, machine);
  return containerTape({
    config,
    rootfs: overlay,
    directory: '/s/containers/c1',
    cgroupTasks: [],
    cgroupDirectory: '/sys/fs/cgroup/berth/c1',
    stdio: { stdin: '/dev/null', stdout: '/l/0.log', stderr: '/l/0.log' },
    startFifo: undefined,
    facts,
    ...more,
  });
}

const golden = test.macro<[name: string, tape: () => ReturnType<typeof containerTape>]>({
  exec(t, name, tape) {
    assertGolden(t, `tape/${name.replaceAll(/[^a-z0-9]+/g, '-')}.txt`, printTape(tape()));
    t.notThrows(() => assemble(tape(), 'x64'));
    t.notThrows(() => assemble(tape(), 'arm64', 16384));
  },
  title: (_, name) => `the tape of a container: ${name}`,
});

test(golden, 'default', () => tapeOf({}));
test(golden, 'privileged on the host network', () => tapeOf({ privileged: true, network: 'host' }));
test(golden, 'user, volumes, v1 cgroups', () =>
  tapeOf(
    {
      user: { uid: 1000, gid: 1000, additionalGids: [7] },
      readonlyRootfs: true,
      workingDir: '/srv/app',
      network: '/s/pods/p/netns',
      ipc: '/s/pods/p/ipcns',
      mounts: [
        { destination: '/etc/app.conf', type: 'bind', source: '/etc/app.conf', options: ['rbind', 'rro'] },
        { destination: '/data', type: 'bind', source: '/volumes/data', subPath: 'a/b', options: ['rbind', 'rprivate'] },
      ],
    },
    {
      cgroupDirectory: undefined,
      cgroupTasks: ['/sys/fs/cgroup/memory/berth/c1/tasks', '/sys/fs/cgroup/pids/berth/c1/tasks'],
      facts: {
        ...facts,
        cgroupMounts: [
          { version: 1, directory: 'cpu,cpuacct', options: 'cpu,cpuacct' },
          { version: 1, directory: 'memory', options: 'memory' },
        ],
      },
    },
  ),
);
test(golden, 'created, to be started later, with privileges', () =>
  tapeOf({ noNewPrivileges: false, capabilitiesAdd: ['NET_ADMIN'] }, { startFifo: '/s/containers/c1/start.fifo' }),
);
test(golden, 'sixty layers', () =>
  tapeOf(
    {},
    {
      rootfs: {
        ...overlay,
        lowers: Array.from({ length: 60 }, (_, index) => `/r/layers/${String(index).padStart(64, '0')}`),
      },
    },
  ),
);

test('the tape of an exec', (t) => {
  const process = { user: { uid: 0, gid: 0 }, args: ['cat', '/etc/hostname'], cwd: '/', noNewPrivileges: true };
  const tape = execTape({
    process,
    cgroupTasks: ['/sys/fs/cgroup/pids/berth/c1/tasks'],
    cgroupDirectory: undefined,
    facts,
    linux: {},
    labels: facts.labels,
  });
  assertGolden(t, 'tape/exec.txt', printTape(tape));
  t.notThrows(() => assemble(tape, 'arm64'));
});

const refused = test.macro<[change: (config: RuntimeConfig) => RuntimeConfig, message: RegExp]>({
  title: (name = '') => name,
  exec(t, change, message) {
    const config = change(generateConfig(image, defaults, machine));
    const options = {
      rootfs: overlay,
      directory: '/s',
      cgroupTasks: [],
      cgroupDirectory: undefined,
      stdio: {},
      startFifo: undefined,
      facts,
    };
    const error = t.throws(() => containerTape({ ...options, config }), { message });
    t.true(isOciError(error, 'CONFIG_INVALID'));
  },
});

test(
  'a new user namespace without mappings is refused',
  refused,
  (config) => ({ ...config, linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'user' }] } }),
  /linux\.uidMappings: a new 'user' namespace needs them/,
);
test(
  'image layers without a mount namespace are refused',
  refused,
  (config) => ({ ...config, linux: { namespaces: [] } }),
  /image layers needs a new 'mount' namespace/,
);
test(
  'a namespace that stands twice is refused',
  refused,
  (config) => ({ ...config, linux: { namespaces: [{ type: 'mount' }, { type: 'mount' }] } }),
  /stands twice/,
);
test(
  'a bind mount of a missing source is refused',
  refused,
  (config) => ({ ...config, mounts: [{ destination: '/d', type: 'bind', source: '/missing' }] }),
  /'\/missing' on \/d/,
);
test(
  'a sysctl that is a path is refused (SEC-8)',
  refused,
  (config) => ({ ...config, linux: { ...config.linux, sysctl: { 'net/../kernel': '1' } } }),
  /not a sysctl/,
);
test(
  'an empty program is refused',
  refused,
  (config) => ({ ...config, process: { user: { uid: 0, gid: 0 }, cwd: '/', args: [] } }),
  /process\.args is empty/,
);
test(
  'an unknown capability is refused with its name',
  refused,
  (config) => ({
    ...config,
    process: { user: { uid: 0, gid: 0 }, cwd: '/', args: ['x'], capabilities: { bounding: ['CAP_FLY'] } },
  }),
  /CAP_FLY/,
);

function tmpfs(destination: string, ...options: string[]): Mount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

test('a tmpfs that does not say its mode has that of the directory it covers', (t) => {
  const mounts = [tmpfs('/private'), tmpfs('/private', 'size=1k'), tmpfs('/private', 'mode=755'), tmpfs('/new')];
  const lines = printTape(tapeOf({ mounts })).split('\n');
  const data = lines.flatMap((line) => /"tmpfs", "\/(?:private|new)", "tmpfs", 0, (.*)\)$/.exec(line)?.[1] ?? []);
  t.deepEqual(data, ['"mode=700"', '"size=1k,mode=700"', '"mode=755"', '0']);
});

/** How often the tape makes /a/b on the way to mounts at these places. */
function timesMade(...destinations: string[]): number {
  const tape = printTape(tapeOf({ mounts: destinations.map((destination) => tmpfs(destination)) }));
  return tape.match(/mkdirat\(AT_FDCWD, "\/a\/b"/g)?.length ?? 0;
}

test('a directory is made again where a mount may have hidden it', (t) => {
  t.is(timesMade('/a/b', '/c'), 1);
  t.is(timesMade('/a/b', '/a', '/a/b'), 2);
});

test('what is made for a mount leads through no link of /proc, each directory checked before the next', (t) => {
  const mounts = [{ destination: '/srv/data', type: 'bind', source: '/volumes/data' }];
  const lines = printTape(tapeOf({ mounts })).split('\n');
  const first = lines.findIndex((line) => line.includes('mkdirat(AT_FDCWD, "/srv"'));
  const calls = lines
    .slice(first, first + 5)
    .map((line) => /^ {2}(\w+)\(.*?"(\/srv[^"]*)"/.exec(line)?.slice(1).join(' '));
  t.deepEqual(calls, [
    'mkdirat /srv',
    'openat2 /srv',
    'mkdirat /srv/data',
    'openat2 /srv/data',
    'move_mount /srv/data',
  ]);
});

test(
  'a sysctl of the machine is refused (SEC-8)',
  refused,
  (config) => ({ ...config, linux: { ...config.linux, sysctl: { 'kernel.core_pattern': '|/x' } } }),
  /'kernel\.core_pattern' is a setting of the machine/,
);
test(
  'a sysctl of a namespace that is the host’s is refused (SEC-8)',
  refused,
  (config) => ({
    ...config,
    linux: { ...config.linux, namespaces: [{ type: 'mount' }], sysctl: { 'net.ipv4.ip_forward': '1' } },
  }),
  /'net\.ipv4\.ip_forward' would set the machine's, as the container has no 'network' namespace/,
);
