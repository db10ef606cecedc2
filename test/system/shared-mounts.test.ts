// Containers without a mount namespace of their own, or with one that they join: everything happens in namespaces of the test.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';

import { containersUnusable } from './busybox-bundle.ts';
import { snapshot } from './leaks.ts';
import { bundleConfig, writeBundle, type BundleConfig } from './oci-bundle.ts';

const BERTH_OCI = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));
const SCRIPT = fileURLToPath(new URL('shared-mounts.sh', import.meta.url));
const run = promisify(execFile);
const unusable = containersUnusable('unshare');
const systemTest = unusable === undefined ? test.serial : test.skip;
const cgroupParent = `/berth-test-shared-${process.pid}`;

/** Run the script on a bundle, in namespaces of its own. Returns what it says, line by line. */
async function linesOf(change: (config: BundleConfig) => BundleConfig): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-test-shared-'));
  try {
    mkdirSync(join(directory, 'volume'));
    writeFileSync(join(directory, 'volume/file'), 'volume');
    const config = bundleConfig('echo inside; exit 3', `${cgroupParent}/c`);
    const bind = { destination: '/data', type: 'bind', source: join(directory, 'volume'), options: ['rbind', 'ro'] };
    writeBundle(directory, change({ ...config, mounts: [...config.mounts.slice(0, 2), bind] }));
    writeFileSync(join(directory, 'rootfs/marker'), '');
    const words = ['-m', '-C', '-p', '-f', '--mount-proc', 'sh', SCRIPT, directory, BERTH_OCI];
    const { stdout } = await run('unshare', words);
    return stdout.trim().split('\n');
  } finally {
    const scope = { cgroupParent, parts: ['cgroups'] } as const;
    for (const path of snapshot(scope).found.cgroups.toReversed()) rmdirSync(path);
    rmSync(directory, { recursive: true, force: true });
  }
}

function withMounts(config: BundleConfig, path?: string): BundleConfig {
  const others = (config.linux.namespaces ?? []).filter(({ type }) => type !== 'mount' && type !== 'network');
  const joined = path === undefined ? [] : [{ type: 'mount', path } as const];
  return { ...config, linux: { ...config.linux, namespaces: [...others, ...joined] } };
}

/** They read the state, and tell which marker of the container's root is in view. */
function hook(name: string, directory: string): { readonly path: string; readonly args: readonly string[] } {
  const script = `cat > /dev/null; echo ${name} $(ls /marker rootfs/marker marker 2>/dev/null) >> ${directory}/hooks`;
  return { path: '/bin/sh', args: ['sh', '-c', script] };
}

const HOOKS = { createRuntime: [hook('createRuntime', '/run')], createContainer: [hook('createContainer', '/run')] };

systemTest('a container without a mount namespace has its own root, and leaves no mount to others', async (t) => {
  assertLines(t, await linesOf((config) => ({ ...withMounts(config), hooks: HOOKS })), {
    mounted: 'yes no',
    left: 'no no',
  });
});

systemTest('a container that joins a mount namespace has its own root in there', async (t) => {
  // What is mounted in there stays until it goes: runc and crun make it the container's for good.
  assertLines(t, await linesOf((config) => ({ ...withMounts(config, '/run/namespace'), hooks: HOOKS })), {
    mounted: 'no yes',
    left: 'no yes',
  });
});

systemTest('a namespace of another type is not joined for mounts', async (t) => {
  const lines = await linesOf((config) => withMounts(config, '/proc/self/ns/uts'));
  t.regex(lines[0] ?? '', /join the namespace \/proc\/self\/ns\/uts: EINVAL \(it is a namespace of another type/);
  t.is(lines[1], 'run 1, mounts no no');
});

function assertLines(
  t: ExecutionContext,
  lines: readonly string[],
  { mounted, left }: { readonly mounted: string; readonly left: string },
): void {
  const hooks = ['createRuntime rootfs/marker', 'createContainer marker'];
  t.deepEqual(lines, [
    'inside',
    `run 3, mounts ${left}`,
    `create 0, mounts ${mounted}`,
    'exec /marker volume up /../../marker',
    '0',
    ' /proc/sys ro',
    'the roots of others are as before',
    `delete 0, mounts ${left}`,
    ...hooks,
    ...hooks,
    `failed 1, mounts ${left}`,
  ]);
}
