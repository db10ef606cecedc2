// What only berth-oci and the specification agree on, or what takes more than one command: hooks over create, start and delete,
// a poststart hook of version 1.3, a configuration without a process, exec into user and time namespaces.
import { once } from 'node:events';
import { chownSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { Hook } from '../../src/oci/runtime/config.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { cgroupsUnusable } from './in-cgroup.ts';
import { assertNoLeaksSince, snapshot } from './leaks.ts';
import { bundleConfig, writeBundle, type BundleConfig } from './oci-bundle.ts';
import { OciPeers, type Outcome } from './oci-peers.ts';

const unusable = containersUnusable() ?? cgroupsUnusable();
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const FIRST = 100_000;

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

type Made = { readonly id: string; readonly bundle: string; readonly log: () => string };

/** A bundle whose hooks note their names in `log`, and an id, which is deleted at the end of the test. */
function makeBundle(t: ExecutionContext, change: (config: BundleConfig, log: string) => object): Made {
  serial += 1;
  const id = `life-${serial}`;
  const bundle = join(here().bundles, id);
  const log = join(here().bundles, `${id}.log`);
  writeFileSync(log, '');
  writeBundle(bundle, bundleConfig('sleep 100', `${here().cgroupParent}/${id}`));
  const file = join(bundle, 'config.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as BundleConfig, log)));
  t.teardown(() => berth('delete', '--force', id));
  return { id, bundle, log: () => readFileSync(log, 'utf8') };
}

/** Notes a name and the status that it reads. */
function noting(name: string, log: string, then = 'true'): Hook {
  const script = `echo ${name} $(sed 's/.*"status":"\\([a-z]*\\)".*/\\1/') >> ${log}; ${then}`;
  return { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] };
}

usable(`hooks run at create, at start and at delete${suffix}`, async (t) => {
  const names = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const;
  const { id, bundle, log } = makeBundle(t, (config, file) => ({
    ...config,
    hooks: Object.fromEntries(names.map((name) => [name, [noting(name, file)]])),
  }));
  t.deepEqual(await berth('create', '--bundle', bundle, id), { code: 0, output: '' });
  t.is(log(), 'prestart creating\ncreateRuntime creating\ncreateContainer creating\n');
  t.deepEqual(await berth('start', id), { code: 0, output: '' });
  t.true(log().endsWith('\npoststart running\n'));
  t.deepEqual(await berth('delete', '--force', id), { code: 0, output: '' });
  t.true(log().endsWith('\npoststop stopped\n'));
});

/** A bundle of this version whose poststart hook fails. */
const failing = (ociVersion: string) => (config: BundleConfig, log: string) => ({
  ...config,
  ociVersion,
  hooks: { poststart: [noting('poststart', log, 'echo why; exit 4')] },
});

usable(
  `a poststart hook that fails is a warning up to version 1.2, and ends the container from 1.3 on${suffix}`,
  async (t) => {
    const old = makeBundle(t, failing('1.2.1'));
    await berth('create', '--bundle', old.bundle, old.id);
    const warned = await berth('start', old.id);
    t.is(warned.code, 0);
    t.regex(warned.output, /warning: error running poststart hook #0: exit code 4: why/);
    t.regex((await berth('state', old.id)).output, /"status": ?"running"/);
    const recent = makeBundle(t, failing('1.3.0'));
    await berth('create', '--bundle', recent.bundle, recent.id);
    const refused = await berth('start', recent.id);
    t.not(refused.code, 0);
    t.regex(refused.output, /error running poststart hook #0: exit code 4: why/);
    t.regex((await berth('state', recent.id)).output, /"status": ?"stopped"/);
  },
);

usable(`a hook that fails at create leaves nothing, after the poststop hooks${suffix}`, async (t) => {
  const { id, bundle, log } = makeBundle(t, (config, file) => ({
    ...config,
    hooks: {
      createRuntime: [noting('createRuntime', file, 'echo because >&2; false')],
      createContainer: [noting('createContainer', file)],
      poststop: [noting('poststop', file)],
    },
  }));
  const { code, output } = await berth('create', '--bundle', bundle, id);
  t.not(code, 0);
  t.regex(output, /error running createRuntime hook #0: exit code 1: because/);
  t.is(log(), 'createRuntime creating\npoststop stopped\n');
  t.not((await berth('state', id)).code, 0);
  t.false(existsSync(join(here().stateOf('berth'), 'containers', id)));
});

usable(`a startContainer hook that fails keeps the program from running${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, (config) => ({
    ...config,
    hooks: { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'id; exit 9'] }] },
  }));
  await berth('create', '--bundle', bundle, id);
  const { code, output } = await berth('start', id);
  t.not(code, 0);
  t.regex(output, /error running startContainer hook #0: exit code 9: uid=0\(root\)/);
  t.regex((await berth('state', id)).output, /"status": ?"stopped"/);
});

usable(`without a process a container can be created, and not be started${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, ({ process: _, ...config }) => config);
  t.deepEqual(await berth('create', '--bundle', bundle, id), { code: 0, output: '' });
  t.regex((await berth('state', id)).output, /"status": ?"created"/);
  const { code, output } = await berth('start', id);
  t.not(code, 0);
  t.regex(output, /its configuration has no process/);
  t.regex((await berth('state', id)).output, /"status": ?"created"/);
  t.is((await berth('delete', '--force', id)).code, 0);
});

usable(`exec joins user and time namespaces, as the user that it says${suffix}`, async (t) => {
  const mappings = [{ containerID: 0, hostID: FIRST, size: 65_536 }];
  const { id, bundle } = makeBundle(t, (config) => ({
    ...config,
    linux: {
      ...config.linux,
      // The cgroup namespace stays the machine's, which nobody in a user namespace may join.
      namespaces: [
        ...(config.linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup'),
        { type: 'user' },
        { type: 'time' },
      ],
      uidMappings: mappings,
      gidMappings: mappings,
      timeOffsets: { boottime: { secs: 70_000_000 } },
    },
  }));
  const rootfs = join(bundle, 'rootfs');
  for (const name of ['', ...readdirSync(rootfs)]) chownSync(join(rootfs, name), FIRST, FIRST);
  t.deepEqual(await berth('create', '--bundle', bundle, id), { code: 0, output: '' });
  await berth('start', id);
  const script =
    'id -u; cut -c1-3 /proc/uptime; cat /proc/self/uid_map | tr -s " "; touch /tmp/x && stat -c %u /tmp/x; grep ^CapEff /proc/self/status';
  const own = await berth('exec', id, '/bin/sh', '-c', script);
  t.deepEqual(own, { code: 0, output: `0\n700\n 0 ${FIRST} 65536\n0\nCapEff:\t00000000000405fb\n` });
  const other = await berth(
    'exec',
    '--user',
    '1000:1000',
    id,
    '/bin/sh',
    '-c',
    'id -u; grep ^CapEff /proc/self/status',
  );
  t.deepEqual(other, { code: 0, output: '1000\nCapEff:\t0000000000000000\n' });
});

usable(`the socket of a service manager is in the container${suffix}`, async (t) => {
  const path = join(here().directory, 'notify.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const script = 'echo $NOTIFY_SOCKET; stat -c "%F %i" $NOTIFY_SOCKET';
  const { id, bundle } = makeBundle(t, (config) => ({
    ...config,
    process: { ...config.process, args: ['/bin/sh', '-c', script] },
  }));
  process.env['NOTIFY_SOCKET'] = path;
  const running = here().start('berth', ['run', '--bundle', bundle, id]);
  const child = await running;
  delete process.env['NOTIFY_SOCKET'];
  await once(child.process, 'exit');
  const inode = statSync(path).ino;
  server.close();
  t.is(readFileSync(child.outputFile, 'utf8'), `/run/notify/notify.sock\nsocket ${inode}\n`);
});

usable(`of two starts at once, one runs the hooks${suffix}`, async (t) => {
  const { id, bundle, log } = makeBundle(t, (config, file) => ({
    ...config,
    hooks: {
      createRuntime: [noting('createRuntime', file)],
      startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'echo ran >> /count; sleep 1'] }],
    },
  }));
  await berth('create', '--bundle', bundle, id);
  const outcomes = await Promise.all([berth('start', id), berth('start', id)]);
  t.is(log(), 'createRuntime creating\n');
  t.is(outcomes.filter(({ code }) => code === 0).length, 1);
  t.is(readFileSync(join(bundle, 'rootfs/count'), 'utf8'), 'ran\n');
  t.regex((await berth('state', id)).output, /"status": ?"running"/);
});
