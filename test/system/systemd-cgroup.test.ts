// The systemd cgroup driver, on a real bus: what systemd is asked, beside what runc asks, and what becomes of the container.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { BundleConfig } from './oci-bundle.ts';
import { SystemdScene, systemdUnusable, type Call } from './systemd-scene.ts';

const unusable = systemdUnusable();
const usable = unusable === undefined ? test.serial : test.serial.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const scene = unusable === undefined ? new SystemdScene() : undefined;
test.before('a bus with a systemd', () => scene?.open());
test.after.always('nothing is left', () => scene?.close());

function here(): SystemdScene {
  if (scene === undefined) throw new Error(`These tests are skipped: ${unusable}`);
  return scene;
}

const MEGABYTE = 2 ** 20;

function withLimits(config: BundleConfig): object {
  const devices = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
    { allow: true, type: 'c', major: 136, access: 'rwm' },
    { allow: true, type: 'b', access: 'm' },
  ];
  const resources = {
    devices,
    memory: { limit: 64 * MEGABYTE },
    cpu: { shares: 512, quota: 25_500, period: 50_000, cpus: '0' },
    pids: { limit: 32 },
  };
  const annotations = {
    'org.systemd.property.TimeoutStopSec': 'uint64 7',
    'org.systemd.property.CollectMode': "'inactive-or-failed'",
  };
  return { ...config, annotations, linux: { ...config.linux, resources } };
}

type Change = (config: BundleConfig) => object;

function limited(limit: number, hooks: object): Change {
  return (config) => ({ ...config, hooks, linux: { ...config.linux, resources: { pids: { limit } } } });
}

function withPath(cgroupsPath: string): Change {
  return (config) => ({ ...config, linux: { ...config.linux, cgroupsPath } });
}

type Told = Readonly<Record<string, unknown>>;

/** The properties that a unit ends up with, by name; runc sets some of them after the start. Numbers of processes differ. */
function told(calls: readonly Call[]): Told {
  const all = calls.flatMap(({ properties }) => properties);
  const entries = all
    .filter(([name]) => name !== 'DeviceAllow')
    .map(([name, signature, value]) => [name, [signature, name === 'PIDs' ? 'a process' : value]] as const);
  const devices = all.flatMap(([name, , value]) => (name === 'DeviceAllow' ? (value as string[][]) : []));
  return { ...Object.fromEntries(entries), DeviceAllow: devices.map((entry) => entry.join(' ')) };
}

async function compare(
  t: ExecutionContext,
  id: string,
  update: readonly string[],
): Promise<Record<'berth' | 'runc', { started: Told; updated: Told }>> {
  const results: Record<'berth' | 'runc', { started: Told; updated: Told }> = {
    berth: { started: {}, updated: {} },
    runc: { started: {}, updated: {} },
  };
  for (const runtime of ['berth', 'runc'] as const) {
    const name = `${id}-${runtime}`;
    const bundle = here().bundle(name, 'sleep 1000', withLimits);
    t.deepEqual(await here().call(runtime, ['run', '-d', '--bundle', bundle, name]), { code: 0, output: '' });
    t.teardown(() => here().call(runtime, ['delete', '--force', name]));
    const unit = `test-${name}.scope`;
    const before = here().calls(unit);
    const { Description: _, ...started } = told(before);
    t.deepEqual(await here().call(runtime, ['update', ...update, name]), { code: 0, output: '' });
    const updated = told(here().calls(unit).slice(before.length));
    results[runtime] = { started, updated };
    t.deepEqual(await here().call(runtime, ['delete', '--force', name]), { code: 0, output: '' });
    t.deepEqual(here().directoriesOf(unit), []);
    t.true(
      here()
        .calls(unit)
        .some(({ method }) => method === 'StopUnit'),
    );
  }
  return results;
}

usable(`systemd is told what runc tells it${suffix}`, async (t) => {
  const { berth, runc } = await compare(t, 'same', ['--memory', '128M', '--pids-limit', '64', '--cpu-share', '256']);
  // runc lets every container make nodes of all character devices; berth, of those that are its own.
  const [ours, theirs] = [berth.started['DeviceAllow'], runc.started['DeviceAllow']] as [string[], string[]];
  t.true(theirs.includes('char-* m') && !ours.includes('char-* m'));
  const exact = theirs.filter((entry) => entry !== 'char-* m').map((entry) => entry.replace(/(10:200 rw)m$/, '$1'));
  t.deepEqual(ours.toSorted(), exact.toSorted());
  t.deepEqual({ ...berth.started, DeviceAllow: [] }, { ...runc.started, DeviceAllow: [] });
  t.like(berth.updated, { MemoryLimit: ['t', 128 * MEGABYTE], TasksMax: ['t', 64], CPUShares: ['t', 256] });
});

usable(`the container is in the unit's cgroup, with its limits, alone${suffix}`, async (t) => {
  const bundle = here().bundle('inside', 'sleep 1000', withLimits);
  t.deepEqual(await here().call('berth', ['run', '-d', '--bundle', bundle, 'inside']), { code: 0, output: '' });
  t.teardown(() => here().call('berth', ['delete', '--force', 'inside']));
  const state = JSON.parse((await here().call('berth', ['state', 'inside'])).output) as { pid: number };
  const directories = here().directoriesOf('test-inside.scope');
  t.deepEqual(directories.length, here().hierarchies.length);
  for (const directory of directories)
    t.is(readFileSync(join(directory, 'cgroup.procs'), 'utf8'), `${state.pid}\n`, directory);
  const pids = directories.map((path) => join(path, 'pids.max')).find((path) => path.includes('pids/'));
  if (pids !== undefined) t.is(readFileSync(pids, 'utf8'), '32\n');

  t.is((await here().call('berth', ['exec', '-d', 'inside', 'sleep', '1000'])).code, 0);
  for (const directory of directories)
    t.is(readFileSync(join(directory, 'cgroup.procs'), 'utf8').trim().split('\n').length, 2, directory);
});

usable(`one process is enough for a container, and two for one with a hook${suffix}`, async (t) => {
  const one = here().bundle('one', 'echo alone', limited(1, {}));
  t.deepEqual(await here().call('berth', ['run', '--bundle', one, 'one']), { code: 0, output: 'alone\n' });
  const hooks = { createContainer: [{ path: '/bin/true' }] };
  const two = here().bundle('two', 'echo hooked', limited(2, hooks));
  t.deepEqual(await here().call('berth', ['run', '--bundle', two, 'two']), { code: 0, output: 'hooked\n' });
});

usable(`what cannot be is said, and nothing is left${suffix}`, async (t) => {
  const run = async (id: string, change: Change): Promise<string> => {
    const { code, output } = await here().call('berth', ['run', '--bundle', here().bundle(id, 'true', change), id]);
    t.is(code, 1);
    t.is((await here().call('berth', ['state', id])).code, 1);
    return output;
  };
  t.regex(await run('form', withPath('/a/b')), /expected the format "slice:prefix:name" for systemd cgroups/);
  t.regex(
    await run('failing', withPath(`${here().slice}:failing:job`)),
    /failing-job\.scope: its job ended as 'failed'/,
  );
  t.regex(
    await run('missing', (config) => ({ ...config, process: { ...config.process, args: ['/nothing'] } })),
    /executable file not found/,
  );
  t.deepEqual(here().directoriesOf('test-missing.scope'), []);
});

usable(`a unit that is there is not taken over${suffix}`, async (t) => {
  const bundle = here().bundle('twice', 'sleep 1000');
  t.is((await here().call('berth', ['run', '-d', '--bundle', bundle, 'twice'])).code, 0);
  t.teardown(() => here().call('berth', ['delete', '--force', 'twice']));
  const other = await here().call('berth', ['run', '-d', '--bundle', bundle, 'twice-again']);
  t.is(other.code, 1);
  t.regex(other.output, /Unit test-twice.scope was already loaded/);
  const state = JSON.parse((await here().call('berth', ['state', 'twice'])).output) as { pid: number; status: string };
  t.is(state.status, 'running');
  for (const directory of here().directoriesOf('test-twice.scope'))
    t.is(readFileSync(join(directory, 'cgroup.procs'), 'utf8'), `${state.pid}\n`);
});
