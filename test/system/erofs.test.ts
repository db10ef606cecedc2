// Layers that are kept as tars, mounted with EROFS: the same to whoever looks as extracted ones.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';
import * as fc from 'fast-check';

import { IMAGE_NAME, TAR_NAME } from '../../src/oci/image/layer-output.ts';
import { prepareUpper, snapshotLayers } from '../../src/oci/image/snapshot.ts';
import { tarBytes, type TestEntry } from '../oci/image/tar-bytes.ts';
import { ContainerScene } from './container-scene.ts';
import {
  blobFile,
  describeTree,
  layerOf,
  layersUnusable,
  openStore,
  scratchDirectory,
  type TestLayer,
  unpackModes,
  writeImage,
  writeLayer,
} from './layer-scene.ts';

const unusable = layersUnusable ?? (unpackModes.includes('erofs') ? undefined : 'no EROFS images in files here');
const run = unusable === undefined ? test : test.skip;
const why = unusable === undefined ? '' : ` (skipped: ${unusable})`;

/** Few names, so that entries meet: a later one replaces, describes, hides or refuses what is there. */
const component = fc.constantFrom('a', 'b', 'c', 'l', '.wh.a', '.wh.b', '.wh..wh..opq');
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((components) => components.join('/'));
const entry: fc.Arbitrary<TestEntry> = fc.record({
  name: path,
  type: fc.constantFrom('0', '0', '5', '5', '2', '1', '3', '6'),
  linkname: fc.oneof(path, fc.constantFrom('/a', '../b', '..', 'l', '.')),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1000, 70_000),
  mtime: fc.integer({ min: 0, max: 2_000_000_000 }),
  minor: fc.integer({ min: 0, max: 1 }),
});

/** Whiteouts that are extracted have the time at which that was done. */
function withoutTimesOfWhiteouts(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^("[^ ]+ 20000 0:0) \d+ 0:0/, '$1'));
}

type Made = { readonly tree: readonly string[]; readonly opaqueRoot: boolean } | { readonly failed: true };

function made(make: typeof writeLayer, directory: string, tar: Buffer): Made {
  try {
    const { root, summary } = make(directory, tar);
    return { tree: withoutTimesOfWhiteouts(describeTree(root)), opaqueRoot: summary.opaqueRoot };
  } catch (error) {
    if (!(error instanceof Error && error.name === 'OciError')) throw error;
    return { failed: true };
  }
}

run(`whatever the entries do to each other, a mounted layer is what an extracted one is${why}`, (t) => {
  const directory = scratchDirectory(t);
  let count = 0;
  let failures = 0;
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 9 }), (entries) => {
      const tar = tarBytes(entries.map((each) => ({ ...each, body: each.type === '0' ? `${each.name}!` : '' })));
      const extracted = made(writeLayer, join(directory, `extracted-${++count}`), tar);
      const mounted = made(writeImage, join(directory, `mounted-${count}`), tar);
      if ('failed' in extracted) failures++;
      return JSON.stringify(extracted) === JSON.stringify(mounted);
    }),
    { numRuns: 400 },
  );
  t.true(failures < count * 0.8, `${failures} of ${count} refused`);
});

const entries: readonly TestEntry[] = [
  { name: 'etc/', type: '5', mode: 0o755 },
  { name: 'etc/passwd', body: 'root:x:0:0' },
  { name: 'x', body: 'y'.repeat(5000) },
];
const layer = layerOf(tarBytes(entries));

function filesOf(root: string, { diffID }: TestLayer): string[] {
  return readdirSync(join(root, 'layers', diffID.slice(7))).sort();
}

run(`a layer is a tar, an image and a record: three names to remove${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const store = openStore(t, root, 'erofs');
  await store.unpackBlob(layer, blobFile(directory, layer));
  t.deepEqual(filesOf(root, layer), ['layer.erofs', 'layer.json', 'layer.tar']);
  t.deepEqual(readFileSync(join(root, 'layers', layer.diffID.slice(7), 'layer.tar')), tarBytes(entries));
  t.is(readFileSync(join(store.directory(layer.diffID), 'etc/passwd'), 'utf8'), 'root:x:0:0');
});

run(`a tar that cannot be mounted as it is becomes a directory${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const tar = tarBytes(entries);
  tar[tar.indexOf('root:x') + 100] = 1;
  const odd = layerOf(tar);
  const store = openStore(t, root, 'erofs');
  await store.unpackBlob(odd, blobFile(directory, odd));
  t.deepEqual(filesOf(root, odd), ['layer.json', 'root']);
  t.is(readFileSync(join(store.directory(odd.diffID), 'etc/passwd'), 'utf8'), 'root:x:0:0');
});

for (const [what, name, harm] of [
  ['a tar that was cut', 'layer.tar', (path: string) => truncateSync(path, 1024)],
  ['an image that was cut', 'layer.erofs', (path: string) => truncateSync(path, 1024)],
  ['an image in which a bit is wrong', 'layer.erofs', flipBit],
  ['an image of zeros', 'layer.erofs', (path: string) => writeFileSync(path, Buffer.alloc(readFileSync(path).length))],
] as const) {
  run(`${what} is noticed before it is mounted, and the layer is unpacked again${why}`, async (t) => {
    const directory = scratchDirectory(t);
    const root = join(directory, 'root');
    const blob = blobFile(directory, layer);
    const first = openStore(t, root, 'erofs');
    await first.unpackBlob(layer, blob);
    await first.settle();
    harm(join(root, 'layers', layer.diffID.slice(7), name));
    const store = openStore(t, root, 'erofs');
    t.throws(() => store.directory(layer.diffID), { name: 'OciError', code: 'LAYER_MISSING' });
    t.false(store.has(layer.diffID));
    await store.unpackBlob(layer, blob);
    t.is(readFileSync(join(store.directory(layer.diffID), 'etc/passwd'), 'utf8'), 'root:x:0:0');
  });
}

/** In a mount namespace of its own. */
function shell(script: string): string {
  return execFileSync('unshare', ['-m', 'sh', '-ec', script], { encoding: 'utf8' });
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[1300] = (bytes[1300] ?? 0) ^ 4;
  writeFileSync(path, bytes);
}

run(`what is kept one way is used by a store that keeps them the other way, or made anew${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const blob = blobFile(directory, layer);
  await openStore(t, root, 'erofs').unpackBlob(layer, blob);
  const extracting = openStore(t, root, 'extract');
  t.false(extracting.has(layer.diffID));
  t.deepEqual(extracting.list(), [layer.diffID]);
  await extracting.unpackBlob(layer, blob);
  t.deepEqual(filesOf(root, layer), ['layer.json', 'root']);
  const mounting = openStore(t, root, 'erofs');
  t.true(mounting.has(layer.diffID));
  await mounting.unpackBlob(layer, blob);
  t.deepEqual(filesOf(root, layer), ['layer.json', 'root']);
});

run(`mounts of layers end with the layer, and with the store; the host's mount namespace has none${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const store = openStore(t, root, 'erofs');
  await store.unpackBlob(layer, blobFile(directory, layer));
  const seen = store.directory(layer.diffID);
  t.is(store.directory(layer.diffID), seen);
  t.true(existsSync(join(seen, 'x')));
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(' erofs '));
  await openStore(t, root).remove(layer.diffID); // as another process would
  t.true(existsSync(join(seen, 'x')));
  t.deepEqual(store.list(), []);
  for (let waited = 0; existsSync(join(seen, 'x')) && waited < 200; waited++) await sleep(10);
  t.false(existsSync(join(seen, 'x')));
});

run(`layers of both kinds make one root file system, with one device number for all of it${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const upper = layerOf(tarBytes([{ name: '.wh.x' }, { name: 'etc/group', body: 'g' }, { name: 'new', body: 'n' }]));
  await openStore(t, root, 'extract').unpackBlob(upper, blobFile(directory, upper));
  const store = openStore(t, root, 'erofs');
  await store.unpackBlob(layer, blobFile(directory, layer));
  const layers = snapshotLayers(store, [layer.diffID, upper.diffID]);
  execFileSync('mkdir', ['up', 'work', 'merged'], { cwd: directory });
  prepareUpper(join(directory, 'up'), layers);
  const lowers = layers.map((each) => each.directory).join(':');
  const found = shell(
    `cd ${directory}; mount -t overlay -o lowerdir=${lowers},upperdir=up,workdir=work,xino=auto o merged; cd merged
     echo changed >> etc/passwd; find . | sort | tr '\\n' ' '; stat -c %d . etc etc/passwd etc/group new | sort -u | wc -l; cat etc/passwd`,
  );
  t.is(found, '. ./etc ./etc/group ./etc/passwd ./new 1\nroot:x:0:0changed\n');
});

run(
  `where overlayfs takes no mounts of others, a container mounts its layers itself, and leaves none${why}`,
  async (t) => {
    const scene = new ContainerScene();
    t.teardown(() => scene.close());
    const place = join(scene.directory, 'layers', 'of-image');
    const tar = tarBytes([
      { name: 'etc/', type: '5', mode: 0o755 },
      { name: 'etc/only-here', body: 'from the tar' },
    ]);
    const { root } = writeImage(place, tar);
    const lower = { directory: root, mountPoint: place, image: IMAGE_NAME, tar: TAR_NAME };
    const id = scene.newId();
    const command = [
      'sh',
      '-c',
      'cat /etc/only-here; echo; mount | grep -c erofs; stat -c %d / /bin /etc/only-here | uniq | wc -l',
    ];
    const ran = await scene.run(scene.request(id, { command }, { layers: [lower] }));
    t.deepEqual(ran, { code: 0, output: 'from the tar\n0\n1\n' });
    t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(place));
  },
);
