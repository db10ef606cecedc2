// berth-oci as the programs above it use it: commands, exit codes, what they print, and errors that change nothing.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { cgroupsUnusable, until } from './in-cgroup.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { assertNoLeaksSince, snapshot } from './leaks.ts';
import { bundleConfig, writeBundle, type BundleConfig } from './oci-bundle.ts';
import { OciPeers, type Outcome } from './oci-peers.ts';

const unusable = containersUnusable() ?? cgroupsUnusable();
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;

const peers = unusable === undefined ? new OciPeers() : undefined;
const before =
  peers === undefined
    ? undefined
    : snapshot({
        directories: [peers.stateOf('berth')],
        cgroupParent: peers.cgroupParent,
        parts: ['processes', 'mounts', 'cgroups'],
      });
test.after.always('nothing is left', async () => {
  await peers?.close();
  if (before !== undefined) await assertNoLeaksSince(before);
});

let serial = 0;

function here(): OciPeers {
  if (peers === undefined) throw new Error(`These tests are skipped: ${unusable}`);
  return peers;
}

function berth(...args: readonly string[]): Promise<Outcome> {
  return here().call('berth', args);
}

type Made = { readonly id: string; readonly bundle: string };

/** A bundle of its own, and an id, which is deleted at the end of the test. */
function makeBundle(t: ExecutionContext, script: string, change = (config: BundleConfig): object => config): Made {
  serial += 1;
  const id = `oci-${serial}`;
  const bundle = join(here().bundles, id);
  writeBundle(bundle, bundleConfig(script, `${here().cgroupParent}/${id}`));
  const file = join(bundle, 'config.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as BundleConfig)));
  t.teardown(() => berth('delete', '--force', id));
  return { id, bundle };
}

type State = { readonly status: string; readonly pid: number; readonly bundle: string; readonly id: string };

async function stateOf(id: string): Promise<State> {
  return JSON.parse((await berth('state', id)).output) as State;
}

/** State directories that are there now. */
function containers(): string[] {
  const directory = join(here().stateOf('berth'), 'containers');
  return existsSync(directory) ? readdirSync(directory) : [];
}

usable(`create, state, start, list, ps, kill and delete${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'echo started; trap "exit 9" TERM; while :; do sleep 0.05; done');
  const pidFile = join(bundle, 'pid');
  t.deepEqual(await berth('create', '--bundle', bundle, '--pid-file', pidFile, id), { code: 0, output: '' });
  const created = await stateOf(id);
  t.like(created, { status: 'created', bundle, id });
  t.is(readFileSync(pidFile, 'utf8'), String(created.pid));
  t.is((await berth('start', id)).code, 0);
  t.like(await stateOf(id), { status: 'running', pid: created.pid });
  t.true((await berth('list', '-q')).output.split('\n').includes(id));
  t.regex((await berth('list')).output, new RegExp(`^${id} +${created.pid} +running +${bundle} +\\S+ +root$`, 'm'));
  const listed = JSON.parse((await berth('list', '-f', 'json')).output) as State[];
  t.true(listed.some((one) => one.id === id && one.status === 'running'));
  t.regex((await berth('ps', id)).output, new RegExp(`^UID .*\\n.*\\b${created.pid}\\b.*\\n`));
  t.true((JSON.parse((await berth('ps', '--format', 'json', id)).output) as number[]).includes(created.pid));
  t.is((await berth('kill', id, 'TERM')).code, 0);
  await until(() => !existsSync(`/proc/${created.pid}`), 'it has ended');
  t.like(await stateOf(id), { status: 'stopped', pid: 0 });
  t.deepEqual(await berth('delete', id), { code: 0, output: '' });
  t.is((await berth('state', id)).code, 1);
});

usable(`pause and resume${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'sleep 1000');
  t.is((await berth('run', '-d', '--bundle', bundle, id)).code, 0);
  t.is((await berth('pause', id)).code, 0);
  t.is((await stateOf(id)).status, 'paused');
  t.is((await berth('resume', id)).code, 0);
  t.is((await stateOf(id)).status, 'running');
  t.is((await berth('pause', id)).code, 0);
  t.is((await berth('delete', '--force', id)).code, 0);
});

usable(`exec ends as its program does${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'sleep 1000');
  t.is((await berth('run', '-d', '--bundle', bundle, id)).code, 0);
  t.deepEqual(await berth('exec', id, 'sh', '-c', 'echo "$HOME $0"; exit 4', 'x'), { code: 4, output: '/root x\n' });
  t.is((await berth('exec', id, 'sh', '-c', 'kill -9 $$')).code, 137);
  const missing = await berth('exec', id, 'nope');
  t.is(missing.code, 255);
  t.regex(missing.output, /^berth-oci: Cannot run a process in container 'oci-\d+': run 'nope' from \$PATH: ENOENT/);
  t.regex(missing.output, /executable file not found in \$PATH/);
});

usable(`run ends as its program does, and leaves nothing${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'echo out; echo err >&2; exit 5');
  const others = containers();
  t.deepEqual(await berth('run', '--bundle', bundle, id), { code: 5, output: 'out\nerr\n' });
  t.deepEqual(containers(), others);
});

usable(`run passes signals on${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done');
  const { process, outputFile } = await here().start('berth', ['run', '--bundle', bundle, id]);
  await until(() => readFileSync(outputFile, 'utf8') === 'ready\n', 'the trap is set');
  const ended = new Promise<number | null>((resolve) => process.once('exit', resolve));
  process.kill('SIGTERM');
  t.is(await ended, 6);
});

usable(`a container outlives run when that is killed${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'echo ready; sleep 1000');
  const { process, outputFile } = await here().start('berth', ['run', '--bundle', bundle, id]);
  await until(() => readFileSync(outputFile, 'utf8') === 'ready\n', 'it runs');
  const { pid } = await stateOf(id);
  const gone = new Promise((resolve) => process.once('exit', resolve));
  process.kill('SIGKILL');
  await gone;
  t.like(await stateOf(id), { status: 'running', pid });
  t.is((await berth('kill', id, '9')).code, 0);
  t.is((await berth('delete', '--force', id)).code, 0);
});

usable(`paths are relative to where the command is called${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'true');
  t.is((await here().call('berth', ['create', '--pid-file', 'the-pid', id], bundle)).code, 0);
  t.regex(readFileSync(join(bundle, 'the-pid'), 'utf8'), /^\d+$/);
  t.is((await stateOf(id)).bundle, bundle);
});

usable(`a cgroup path may be relative, or missing${suffix}`, async (t) => {
  for (const cgroupsPath of [`${here().cgroupParent.slice(1)}/relative`, undefined]) {
    const { id, bundle } = makeBundle(t, 'cat /proc/1/cgroup', (config) => ({
      ...config,
      linux: { ...config.linux, cgroupsPath },
    }));
    t.is((await berth('run', '--bundle', bundle, id)).code, 0);
  }
});

const fails = test.macro<[what: string, message: RegExp, change: (config: BundleConfig) => unknown]>({
  title: (_, what) => `${what}: create says so, and leaves nothing${suffix}`,
  async exec(t, _what, message, change) {
    const others = containers();
    const { id, bundle } = makeBundle(t, 'true', change as (config: BundleConfig) => object);
    const { code, output } = await berth('create', '--bundle', bundle, id);
    t.is(code, 1);
    t.regex(output, message);
    t.false(output.includes('\n    at '), 'a stack is for nobody');
    t.deepEqual(containers(), others);
  },
});

usable(fails, 'no configuration', /config\.json: null is not an object/, () => null);
usable(fails, 'a version of another age', /ociVersion: '2\.0\.0' is not a 1\.x/, (c) => ({
  ...c,
  ociVersion: '2.0.0',
}));
usable(fails, 'no root', /root\.path: it is missing/, (c) => ({ ...c, root: {} }));
usable(fails, 'no program', /process\.args is empty/, (c) => ({ ...c, process: { ...c.process, args: [] } }));
usable(fails, 'a relative directory', /cwd: "tmp" is not an abs/, (c) => ({
  ...c,
  process: { ...c.process, cwd: 'tmp' },
}));
usable(fails, 'a root that is not there', /no-such-root: ENOENT/, (c) => ({ ...c, root: { path: 'no-such-root' } }));
usable(fails, 'a limit of nothing', /RLIMIT_NOTHING/, (c) => ({
  ...c,
  process: { ...c.process, rlimits: [{ type: 'RLIMIT_NOTHING', soft: 1, hard: 1 }] },
}));
usable(fails, 'a limit that v1 cannot do', /unified/, (c) => ({
  ...c,
  linux: { ...c.linux, resources: { unified: { 'no_such.file': '1' } } },
}));

usable(`a pid file that cannot be written fails the command, and leaves nothing${suffix}`, async (t) => {
  const others = containers();
  const { id, bundle } = makeBundle(t, 'sleep 1000');
  for (const command of [['create'], ['run', '-d']]) {
    const { code, output } = await berth(...command, '--bundle', bundle, '--pid-file', '/no/such/directory/pid', id);
    t.is(code, 1);
    t.regex(output, /ENOENT/);
    t.deepEqual(containers(), others);
  }
});

usable(`what cannot be done is an error and changes nothing${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'sleep 1000');
  const errors: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['start', 'nobody'], /Container 'nobody' does not exist/],
    [['state', 'nobody'], /does not exist/],
    [['kill', 'nobody', 'KILL'], /does not exist/],
    [['delete', 'nobody'], /does not exist/],
    [['exec', 'nobody', 'true'], /does not exist/],
    [['create', '--bundle', bundle], /create \[FLAGS\] ID takes 1 argument, and there are 0/],
    [['create', '--bundle', bundle, ''], /'' is not a container id/],
    [['create', '--bundle', bundle, '../x'], /'\.\.\/x' is not a container id/],
    [['create', '--bundle', '/no/such/bundle', 'x'], /Cannot read \/no\/such\/bundle\/config\.json/],
    [['fly', 'x'], /Unknown command 'fly'/],
    [['state', '--fly', 'x'], /flag provided but not defined: -fly/],
  ];
  for (const [args, message] of errors) {
    const { code, output } = await berth(...args);
    t.is(code, args[0] === 'exec' ? 255 : 1, args.join(' '));
    t.regex(output, message);
  }
  t.is((await berth('delete', '--force', 'nobody')).code, 0);
  t.is((await berth('run', '-d', '--bundle', bundle, id)).code, 0);
  const state = await stateOf(id);
  t.regex((await berth('create', '--bundle', bundle, id)).output, /exists already/);
  t.regex((await berth('start', id)).output, /it is running/);
  t.regex((await berth('delete', id)).output, /it is running/);
  t.regex((await berth('kill', id, 'NOSUCH')).output, /Unknown signal 'NOSUCH'/);
  t.deepEqual(await stateOf(id), state);
});
