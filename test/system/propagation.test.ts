// Mount propagation of volumes, seen from both sides (mount_namespaces(7)): in a mount namespace of the test's own, with a volume
// that is shared there. berth-oci and runc must agree.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { DEFAULT_CAPABILITIES } from '../../src/oci/runtime/defaults.ts';
import { containersUnusable, findProgram } from './busybox-bundle.ts';
import { snapshot } from './leaks.ts';
import { bundleConfig, writeBundle } from './oci-bundle.ts';

const unusable = containersUnusable('runc', 'unshare');
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const BERTH_OCI = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));
const cgroupParent = `/berth-test-propagation-${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), 'berth-test-propagation-'));

test.after.always('nothing is left', () => {
  const scope = { cgroupParent, parts: ['cgroups'] } as const;
  for (const path of snapshot(scope).found.cgroups.toReversed()) rmdirSync(path);
  rmSync(directory, { recursive: true });
});

/** The machine: mounts into the volume once the container waits for it; tells what it sees of the container's mount. */
const OUTSIDE = `volume=$1; shift
mount -t tmpfs outside "$volume" && mount --make-shared "$volume" && mkdir "$volume/from-outside" "$volume/from-inside"
touch "$volume/log"; "$@" >"$volume/log" 2>&1 &
until grep -q ready "$volume/log" || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
mount -t tmpfs outside "$volume/from-outside"; touch "$volume/from-outside/file" "$volume/go"
wait $!; echo "ended with $?"
grep -q " $volume/from-inside " /proc/self/mountinfo && echo "the machine sees the container's mount"
cat "$volume/log"`;

const INSIDE = `echo ready; until [ -e /data/go ]; do sleep 0.05; done
ls /data/from-outside; mount -t tmpfs inside /data/from-inside && echo mounted`;

type Runtime = { readonly name: string; readonly program: string };

async function outcome({ name, program }: Runtime, option: string, rootfsPropagation: string): Promise<string> {
  const id = `${name}-${option}`;
  const [bundle, volume] = [join(directory, id), join(directory, `${id}-volume`)];
  mkdirSync(volume);
  const config = bundleConfig(INSIDE, `${cgroupParent}/${id}`);
  const held = [...DEFAULT_CAPABILITIES, 'CAP_SYS_ADMIN'];
  writeBundle(bundle, {
    ...config,
    process: { ...config.process, capabilities: { bounding: held, effective: held, permitted: held } },
    mounts: [...config.mounts, { destination: '/data', type: 'bind', source: volume, options: ['rbind', option] }],
    linux: { ...config.linux, rootfsPropagation },
  });
  const command = [program, '--root', join(directory, `state-${name}`), 'run', '--bundle', bundle, id];
  const args = ['-m', '--propagation', 'private', 'sh', '-c', OUTSIDE, 'sh', volume, ...command];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  await once(child, 'close');
  return String(Buffer.concat(output));
}

const CASES = [
  { option: 'rprivate', root: 'rprivate', expected: 'ended with 0\nready\nmounted\n' },
  { option: 'rslave', root: 'rslave', expected: 'ended with 0\nready\nfile\nmounted\n' },
  {
    option: 'rshared',
    root: 'rshared',
    expected: "ended with 0\nthe machine sees the container's mount\nready\nfile\nmounted\n",
  },
] as const;

for (const { option, root, expected } of CASES) {
  usable(`a volume that is ${option}: as in runc${suffix}`, async (t) => {
    const runtimes = [
      { name: 'berth', program: BERTH_OCI },
      { name: 'runc', program: findProgram('runc') ?? '' },
    ];
    const [berth, runc] = await Promise.all(runtimes.map((runtime) => outcome(runtime, option, root)));
    t.is(berth, expected);
    t.is(runc, expected);
  });
}
