// A container that manages cgroups itself, as systemd in a container does: on cgroup v2 it owns its cgroup, and nothing more.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import type { Linux } from '../../src/oci/runtime/config.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { type BundleConfig, bundleConfig, writeBundle } from './oci-bundle.ts';
import { OciPeers, type Outcome, type Peer } from './oci-peers.ts';

const v1 = readCgroupLayout().hierarchies.some(({ version }) => version === 1);
const unusable = containersUnusable('runc', 'crun') ?? (v1 ? 'needs a machine with cgroup v2 alone' : undefined);
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const peers = unusable === undefined ? new OciPeers() : undefined;
if (peers !== undefined) test.after.always('nothing is left', () => peers.close());

const MAPPED: Linux = {
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
};

async function runIn(peer: Peer, name: string, change: (config: BundleConfig) => BundleConfig): Promise<Outcome> {
  if (peers === undefined) throw new Error(`These tests are skipped: ${unusable}`);
  const id = `${peer}-${name}`;
  const directory = join(peers.bundles, id);
  const config = bundleConfig(SCRIPT, `${peers.cgroupParent}/${id}`);
  mkdirSync(directory);
  writeBundle(directory, change(config));
  return await peers.call(peer, ['run', '--bundle', directory, id]);
}

const SCRIPT = `cd /sys/fs/cgroup
stat -c '%n %u' . cgroup.procs cgroup.subtree_control memory.max pids.max
mkdir init app || exit 3
echo 1 > init/cgroup.procs
echo '+pids +memory' > cgroup.subtree_control
echo 7 > app/pids.max
cat app/pids.max
sh -c 'echo $$ > app/cgroup.procs; cat /proc/self/cgroup'
echo max 2>/dev/null > memory.max && echo 'raised its own limit'
true`;

function writable(config: BundleConfig): BundleConfig {
  const mounts = config.mounts.map((mount) =>
    mount.type === 'cgroup' ? { ...mount, options: ['nosuid', 'noexec', 'nodev', 'rw'] } : mount,
  );
  const resources = { memory: { limit: 64 << 20 }, pids: { limit: 50 } };
  return { ...config, mounts, linux: { ...config.linux, resources } };
}

function inUserNamespace(config: BundleConfig): BundleConfig {
  const namespaces = [...(config.linux.namespaces ?? []), { type: 'user' as const }];
  return { ...config, linux: { ...config.linux, ...MAPPED, namespaces } };
}

function delegated(config: BundleConfig): BundleConfig {
  return inUserNamespace(writable(config));
}

// runc does this with systemd's help only.
usable(`with its own users a container manages the cgroups below its own, as with crun${suffix}`, async (t) => {
  const [berth, crun] = [await runIn('berth', 'mapped', delegated), await runIn('crun', 'mapped', delegated)];
  t.is(berth.code, 0, berth.output);
  t.regex(berth.output, /^\. 0$[^]*^cgroup\.procs 0$[^]*^memory\.max 65534$[^]*^7$[^]*^0::\/app$/m);
  t.notRegex(berth.output, /raised its own limit/);
  t.deepEqual(berth, crun);
});

usable(`exec goes to where the container's first process is${suffix}`, async (t) => {
  if (peers === undefined) return;
  const directory = join(peers.bundles, 'exec');
  mkdirSync(directory);
  const script = `${SCRIPT}; sleep 1000`;
  writeBundle(directory, delegated(bundleConfig(script, `${peers.cgroupParent}/exec`)));
  t.is((await peers.call('berth', ['run', '-d', '--bundle', directory, 'exec'])).code, 0);
  const show = [
    'exec',
    'exec',
    'sh',
    '-c',
    'until [ -d /sys/fs/cgroup/app ]; do sleep 0.1; done; cat /proc/self/cgroup',
  ];
  t.deepEqual(await peers.call('berth', show), { code: 0, output: '0::/init\n' });
  t.is((await peers.call('berth', ['delete', '--force', 'exec'])).code, 0);
});

usable(`as root of the host it does so without being given anything${suffix}`, async (t) => {
  const [berth, runc] = [await runIn('berth', 'root', writable), await runIn('runc', 'root', writable)];
  t.is(berth.code, 0, berth.output);
  t.regex(berth.output, /^0::\/app$/m);
  t.deepEqual(berth, runc);
});

usable(`where the cgroup is mounted read-only it stays root's${suffix}`, async (t) => {
  const [berth, runc] = [
    await runIn('berth', 'readonly', inUserNamespace),
    await runIn('runc', 'readonly', inUserNamespace),
  ];
  t.is(berth.code, 3, berth.output);
  t.regex(berth.output, /^\. 65534$/m);
  t.deepEqual(berth, runc);
});
