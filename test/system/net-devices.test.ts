// linux.netDevices of config.json, in a network namespace of the test.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

import type { Linux, NamespaceType } from '../../src/oci/runtime/config.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { snapshot } from './leaks.ts';
import { bundleConfig, writeBundle } from './oci-bundle.ts';

const BERTH_OCI = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));
const SCRIPT = fileURLToPath(new URL('net-devices.sh', import.meta.url));
const run = promisify(execFile);
const systemTest = containersUnusable('unshare', 'ip') === undefined ? test.serial : test.skip;
const cgroupParent = `/berth-test-net-${process.pid}`;
const LOOK = `ip -o addr | grep -v " lo " | sed 's/^[0-9]*: *//; s/ \\+/ /g; s/scope global.*//; s/scope link.*/link/' | sort
ip -o link | grep -v "lo:" | sed 's/^[0-9]*: \\([a-z0-9]*\\).*[<,]\\(UP\\)[,>].* mtu \\([0-9]*\\).*/\\1 \\2 \\3/' | sort`;

type Directory = string;

/** Run the script on a bundle. Returns what it says, line by line, but for addresses that the kernel makes up. */
async function linesOf(change: (linux: Linux, directory: Directory) => Partial<Linux>): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-test-net-'));
  try {
    chmodSync(directory, 0o711); // root of a user namespace passes through it as somebody else
    mkdirSync(join(directory, 'state'));
    const config = bundleConfig(LOOK, `${cgroupParent}/c`);
    writeBundle(directory, { ...config, linux: { ...config.linux, ...change(config.linux, directory) } });
    const { stdout } = await run('unshare', ['-n', 'sh', SCRIPT, directory, BERTH_OCI]);
    const lines = stdout.trim().split('\n');
    return lines.filter((line) => !line.includes('fe80::')).map((line) => line.trim());
  } finally {
    const scope = { cgroupParent, parts: ['cgroups'] } as const;
    for (const path of snapshot(scope).found.cgroups.toReversed()) rmdirSync(path);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** With another namespace of this type. */
function namespace(linux: Linux, type: NamespaceType, path?: string): Pick<Linux, 'namespaces'> {
  const others = (linux.namespaces ?? []).filter((each) => each.type !== type);
  return { namespaces: [...others, path === undefined ? { type } : { type, path }] };
}

const netDevices = { first: { name: 'eth0' }, second: { name: 'net%d' } };
const MOVED = [
  'eth0 inet 10.9.0.1/24',
  'eth0 inet 10.9.0.7 peer 10.9.0.8/32',
  'eth0 inet6 fd00:9::1/64',
  'eth0 UP 1400',
  'net0 UP 1500',
  'code 0',
];
const STAYED = 'outside lo other@first first@other another@second second@another';

systemTest('devices move into the container with new names, their addresses and their MTU, and are up', async (t) => {
  const lines = await linesOf(() => ({ netDevices }));
  t.deepEqual(lines.slice(0, -1), MOVED);
});

systemTest('devices move into a network namespace of a user namespace', async (t) => {
  const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const lines = await linesOf((linux) => ({
    ...namespace(linux, 'user'),
    netDevices,
    uidMappings: ids,
    gidMappings: ids,
  }));
  t.deepEqual(lines.slice(0, -1), MOVED);
});

systemTest('devices move into a network namespace that is joined, where their indexes are taken', async (t) => {
  const lines = await linesOf((linux, directory) => ({
    ...namespace(linux, 'network', join(directory, 'namespace')),
    netDevices,
  }));
  t.deepEqual(
    lines.filter((line) => !/^(\d|outside)/.test(line)),
    MOVED,
  );
});

systemTest('where one device cannot move, none does', async (t) => {
  const missing = await linesOf(() => ({ netDevices: { first: {}, third: {} } }));
  t.deepEqual(missing, ["berth-oci: linux.netDevices: the machine has no network device 'third'", 'code 1', STAYED]);
  const taken = await linesOf(() => ({ netDevices: { first: {}, second: { name: 'lo' } } }));
  t.deepEqual(taken, [
    "berth-oci: linux.netDevices: the container has a network device 'lo' already",
    'code 1',
    STAYED,
  ]);
});
