import test from 'ava';

import { defaultSeccomp } from '../../../src/oci/runtime/seccomp-default.ts';
import { generateConfig, stopSignal, type ContainerOptions } from '../../../src/oci/runtime/generate-config.ts';

const image = {
  architecture: 'amd64',
  os: 'linux',
  config: { Entrypoint: ['/entry'], Cmd: ['cmd', 'arg'], Env: ['A=image', 'B=image'], WorkingDir: 'srv' },
  rootfs: { diff_ids: [] },
};
const machine = { thermalThrottle: [], defaultSeccomp };

const defaults: ContainerOptions = {
  hostname: 'h',
  env: [],
  home: '/home/app',
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
  cgroupPath: '/c',
};
const configOf = (options: Partial<ContainerOptions>) => generateConfig(image, { ...defaults, ...options }, machine);

const bounding = (options: Partial<ContainerOptions>) => configOf(options).process?.capabilities?.bounding;
const signalOf = (StopSignal: string | undefined) => stopSignal({ ...image, config: { StopSignal } });

// The table of Kubernetes' "Define a command and arguments for a container".
for (const [command, args, expected] of [
  [undefined, undefined, ['/entry', 'cmd', 'arg']],
  [['/c'], undefined, ['/c']],
  [undefined, ['x'], ['/entry', 'x']],
  [['/c'], ['x'], ['/c', 'x']],
] as const) {
  test(`command ${JSON.stringify(command)} and args ${JSON.stringify(args)} run ${JSON.stringify(expected)}`, (t) => {
    t.deepEqual(configOf({ command, args }).process?.args, expected);
  });
}

test('a container does not inherit what protects its maker when memory runs out', (t) => {
  t.false('oomScoreAdj' in (configOf({}).process ?? {}));
  for (const oomScoreAdj of [-900, 500]) {
    t.is(generateConfig(image, defaults, { ...machine, oomScoreAdj }).process?.oomScoreAdj, 0);
  }
});

test('where the machine can, a container that runs out of memory is killed whole', (t) => {
  t.is(configOf({}).linux?.resources?.unified, undefined);
  const { linux } = generateConfig(image, defaults, { ...machine, oomGroup: true });
  t.deepEqual(linux?.resources?.unified, { 'memory.oom.group': '1' });
});

test('an image with no program is refused', (t) => {
  const bare = { ...image, config: {} };
  t.throws(() => generateConfig(bare, defaults, machine), { message: /No command/ });
});

test('the container wins over the image, and the image over the defaults', (t) => {
  const env = configOf({ env: ['B=mine', 'C=mine'] }).process?.env;
  t.true(env?.includes('A=image'));
  t.true(env?.includes('B=mine'));
  t.true(env?.includes('HOME=/home/app'));
  t.is(env?.filter((entry) => entry.startsWith('B=')).length, 1);
});

test('a relative working directory of an image starts at the root', (t) => {
  t.is(configOf({}).process?.cwd, '/srv');
});

test('capabilities: add and drop, ALL in both', (t) => {
  t.false(bounding({})?.includes('CAP_NET_RAW'));
  t.true(bounding({ capabilitiesAdd: ['NET_RAW'] })?.includes('CAP_NET_RAW'));
  t.deepEqual(bounding({ capabilitiesDrop: ['ALL'], capabilitiesAdd: ['CHOWN'] }), ['CAP_CHOWN']);
  t.is(bounding({ capabilitiesAdd: ['ALL'] })?.length, 41);
  t.throws(() => bounding({ capabilitiesAdd: ['FLY'] }), { message: /CAP_FLY/ });
});

test('a user who is not root holds no capability (SEC-15)', (t) => {
  const capabilities = configOf({ user: { uid: 1000, gid: 1000 } }).process?.capabilities;
  t.deepEqual(capabilities?.effective, []);
  t.deepEqual(capabilities?.permitted, []);
  t.deepEqual(capabilities?.inheritable, []);
  t.deepEqual(capabilities?.ambient, []);
});

test('privileged takes the confinement away, and only privileged does', (t) => {
  const confined = configOf({}).linux;
  t.truthy(confined?.seccomp);
  t.true((confined?.maskedPaths?.length ?? 0) > 0);
  const free = configOf({ privileged: true }).linux;
  t.is(free?.seccomp, undefined);
  t.is(free?.maskedPaths, undefined);
  t.false(configOf({ privileged: true }).process?.noNewPrivileges);
});

test('an init is had where it is asked for', (t) => {
  t.is(configOf({}).process?.init, undefined);
  t.true(configOf({ init: true }).process?.init);
});

function rootOf(option: string): string | undefined {
  const mount = { destination: '/data', type: 'bind', source: '/data', options: ['rbind', option] };
  return configOf({ mounts: [mount] }).linux?.rootfsPropagation;
}

test('the root is shared where a volume is, and only there', (t) => {
  t.is(rootOf('rshared'), 'rshared');
  t.is(rootOf('shared'), 'rshared');
  t.is(rootOf('rslave'), undefined);
  t.is(rootOf('rprivate'), undefined);
});

test('the stop signal is the image’s, by name or number, else SIGTERM', (t) => {
  t.is(signalOf('SIGQUIT'), 3);
  t.is(signalOf('37'), 37);
  t.is(signalOf('SIGRTMIN+3'), 37);
  t.is(signalOf('nonsense'), 15);
  t.is(signalOf(undefined), 15);
});
