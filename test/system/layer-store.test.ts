import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import test from 'ava';

import { tarBytes } from '../oci/image/tar-bytes.ts';
import { blobFile, layerOf, layersUnusable, openStore, scratchDirectory, type TestLayer } from './layer-scene.ts';
import { layer, leftovers, tar } from './unpack-scene.ts';

const run = layersUnusable === undefined ? test : test.skip;
const why = layersUnusable === undefined ? '' : ` (skipped: ${layersUnusable})`;

/** How many entries a directory of /proc about this process has: its threads, its descriptors. */
function countOf(directory: 'task' | 'fd'): number {
  return readdirSync(`/proc/self/${directory}`).length;
}

for (const [compression, blob] of [
  ['gzip', layer.blob],
  ['zstd', zstdCompressSync(tar)],
  ['no compression', tar],
  ['several gzip members', Buffer.concat([gzipSync(tar.subarray(0, 1000)), gzipSync(tar.subarray(1000))])],
] as const) {
  run(
    `a layer comes in through a sink, in pieces, and is complete when it is visible: ${compression}${why}`,
    async (t) => {
      const root = join(scratchDirectory(t), 'root');
      const store = openStore(t, root);
      const sink = await store.begin({ ...layer, sizeBytes: blob.length });
      for (let offset = 0; offset < blob.length; offset += 100_000) {
        t.false(store.has(layer.diffID));
        await sink.write(new Uint8Array(blob.subarray(offset, offset + 100_000)));
      }
      await sink.commit();
      await sink.abort();
      t.true(store.has(layer.diffID));
      t.deepEqual(store.list(), [layer.diffID]);
      const directory = store.directory(layer.diffID);
      t.is(readFileSync(join(directory, 'd7/f57'), 'utf8'), 'file 57');
      t.is(statSync(join(directory, 'large/19')).size, 1 << 20);
      t.is(statSync(join(root, 'layers')).mode & 0o777, 0o700);
      t.is(statSync(directory).mode & 0o777, 0o755);
    },
  );
}

run(`a sink that is aborted leaves nothing, and the layer can be begun again${why}`, async (t) => {
  const root = join(scratchDirectory(t), 'root');
  const store = openStore(t, root);
  const sink = await store.begin(layer);
  await sink.write(new Uint8Array(layer.blob.subarray(0, 50_000)));
  await sink.abort();
  await sink.abort();
  t.false(store.has(layer.diffID));
  t.throws(() => store.directory(layer.diffID), { name: 'OciError', code: 'LAYER_MISSING' });
  const again = await store.begin(layer);
  await again.write(new Uint8Array(layer.blob));
  await again.commit();
  t.true(store.has(layer.diffID));
  await store.settle();
  t.deepEqual(leftovers(root), []);
});

run(`a damaged layer fails the write or the commit, and the lock is free afterwards${why}`, async (t) => {
  const store = openStore(t, join(scratchDirectory(t), 'root'));
  const sink = await store.begin(layer);
  const bad = Buffer.from(layer.blob);
  bad.fill(0xff, 20_000, 21_000);
  await t.throwsAsync(
    async () => {
      await sink.write(new Uint8Array(bad));
      await sink.commit();
    },
    { name: 'OciError', code: 'LAYER_INVALID' },
  );
  await sink.abort();
  const again = await store.begin(layer);
  await again.abort();
});

run(`begin waits for who has the layer, and stops waiting when told to${why}`, async (t) => {
  const store = openStore(t, join(scratchDirectory(t), 'root'));
  const sink = await store.begin(layer);
  await t.throwsAsync(store.begin(layer, AbortSignal.timeout(30)), { name: 'AbortError' });
  const second = store.begin(layer);
  await sink.write(new Uint8Array(layer.blob));
  await sink.commit();
  const done = await second;
  t.is(done.write(new Uint8Array(1)), undefined);
  await done.commit();
});

run(`unpacking from a blob stops when told to${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const store = openStore(t, join(directory, 'root'));
  const stop = new AbortController();
  const unpacking = store.unpackBlob(layer, blobFile(directory, layer), stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 20);
  await t.throwsAsync(unpacking, { message: 'enough' });
  t.false(store.has(layer.diffID));
});

run(`a removed layer is gone, and can come back${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const store = openStore(t, root);
  const blob = blobFile(directory, layer);
  await store.unpackBlob(layer, blob);
  await store.remove(layer.diffID);
  t.false(store.has(layer.diffID));
  await store.remove(layer.diffID);
  await store.settle();
  t.deepEqual(readdirSync(join(root, 'layers')), ['.locks']);
  await store.unpackBlob(layer, blob);
  t.true(store.has(layer.diffID));
});

run(`many layers at once all come in, and then no thread is left${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  const store = openStore(t, root);
  const layers: TestLayer[] = Array.from({ length: 12 }, (_, index) =>
    layerOf(
      tarBytes(Array.from({ length: 200 }, (_, file) => ({ name: `${index}/${file}`, body: `${index} ${file}` }))),
    ),
  );
  let busy = 0;
  const sampler = setInterval(() => (busy = Math.max(busy, countOf('task'))), 1);
  await Promise.all(layers.map((each) => store.unpackBlob(each, blobFile(directory, each))));
  clearInterval(sampler);
  t.is(store.list().length, layers.length);
  await store.settle();
  for (let waited = 0; countOf('task') >= busy && waited < 100; waited++) await sleep(50);
  t.true(countOf('task') < busy, `${countOf('task')} threads, ${busy} while it worked`);
});

run(`no descriptor is left open, whether it goes well or not${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const root = join(directory, 'root');
  mkdirSync(root);
  const store = openStore(t, root);
  const blob = blobFile(directory, layer);
  const bad = layerOf(tarBytes([{ name: 'a/b' }, { name: '../x' }]));
  const badBlob = blobFile(directory, bad);
  const once = async (): Promise<void> => {
    await store.unpackBlob(layer, blob);
    await t.throwsAsync(store.unpackBlob(bad, badBlob), { code: 'UNSAFE_PATH' });
    const sink = await store.begin(bad);
    await sink.write(new Uint8Array(bad.blob));
    await sink.abort();
    await store.remove(layer.diffID);
    await store.settle();
  };
  await once();
  const before = countOf('fd');
  for (let round = 0; round < 3; round++) await once();
  t.true(countOf('fd') <= before, execFileSync('ls', ['-l', `/proc/${process.pid}/fd`], { encoding: 'utf8' }));
});

run(`a tree of berth's own is removed off the main thread, links and all${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const store = openStore(t, join(directory, 'root'));
  // As overlayfs leaves it: work/work with mode 000, whiteouts.
  execFileSync(
    'sh',
    [
      '-ec',
      'mkdir -p up/a work/work keep; touch keep/x up/a/f; mknod up/gone c 0 0; ln -s ../keep up/link; chmod 0 work/work',
    ],
    { cwd: directory },
  );
  await store.removeTree(join(directory, 'up'));
  await store.removeTree(join(directory, 'work'));
  await store.removeTree(join(directory, 'missing'));
  t.deepEqual(readdirSync(directory).sort(), ['keep', 'root']);
  t.deepEqual(readdirSync(join(directory, 'keep')), ['x']);
});
