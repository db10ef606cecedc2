// The content store and its index: what is kept, what is refused, and what several processes may do at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import { partialPath } from '../../../src/oci/image/blob-ingest.ts';
import {
  blobPath,
  hasBlob,
  openContentStore,
  putBlob,
  readBlob,
  type ContentStore,
} from '../../../src/oci/image/content-store.ts';
import { digestOf } from '../../../src/oci/image/digest.ts';
import { findEntry, readIndex, REF_NAME, tagImage, untagImage } from '../../../src/oci/image/image-index.ts';
import { importImages } from '../../../src/oci/image/import.ts';
import { OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';
import { prune } from '../../../src/oci/image/prune.ts';
import { resolveImage } from '../../../src/oci/image/resolve.ts';
import { takeStoreLease } from '../../../src/oci/image/store-lease.ts';

import { layoutFiles, writeFiles } from './import-scene.ts';
import { MemoryLayers } from './memory-layers.ts';
import { sampleImage, type SampleImage } from './sample-image.ts';

function newStore(t: ExecutionContext): ContentStore {
  const root = mkdtempSync(join(tmpdir(), 'berth-store-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  return openContentStore(root);
}

async function importSample(store: ContentStore, layers: MemoryLayers, name: string): Promise<SampleImage> {
  const image = sampleImage();
  const path = writeFiles(`${store.directory}-${name}`, layoutFiles(image));
  await importImages(path, { store, layers, name: `localhost/${name}:1` });
  rmSync(path, { recursive: true });
  return image;
}

const entry = { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from('m')), size: 1 };

test('a new store is an OCI image layout that only its owner reads', (t) => {
  const store = newStore(t);
  t.deepEqual(JSON.parse(readFileSync(join(store.directory, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  t.deepEqual(readIndex(store), []);
  t.is(statSync(store.directory).mode & 0o777, 0o700);
  t.deepEqual(readdirSync(store.directory).toSorted(), ['blobs', 'index.json', 'ingest', 'oci-layout']);
});

test('opening a store again keeps what is in it', async (t) => {
  const store = newStore(t);
  await tagImage(store, 'a.io/a:1', entry);
  openContentStore(join(store.directory, '..'));
  t.is(readIndex(store).length, 1);
});

test('a blob is stored under its digest, twice as well as once, and wrong bytes are not', async (t) => {
  const store = newStore(t);
  const bytes = Buffer.from('hello');
  const digest = await putBlob(store, bytes);
  t.is(await putBlob(store, bytes), digest);
  t.true(readBlob(store, { digest, size: 5 }).equals(bytes));
  const error = await t.throwsAsync(putBlob(store, Buffer.from('other'), digest));
  t.true(isOciError(error, 'DIGEST_MISMATCH'));
  t.deepEqual(readdirSync(store.ingestDirectory), []);
});

test('a document that changed on the disk is noticed when it is read', async (t) => {
  const store = newStore(t);
  const digest = await putBlob(store, Buffer.from('hello'));
  writeFileSync(blobPath(store, digest), 'hellO');
  t.true(
    isOciError(
      t.throws(() => readBlob(store, { digest, size: 5 })),
      'STORE_CORRUPT',
    ),
  );
  t.false(hasBlob(store, { digest, size: 4 }));
  t.throws(() => blobPath(store, 'sha256:../../x'), { message: /is not a digest/ });
});

test('a name means one image, the last that was tagged', async (t) => {
  const store = newStore(t);
  await tagImage(store, 'a.io/a:1', entry);
  await tagImage(store, 'a.io/b:1', entry);
  await tagImage(store, 'a.io/a:1', { ...entry, size: 2 });
  t.deepEqual(
    readIndex(store).map(({ annotations }) => annotations?.[REF_NAME]),
    ['a.io/b:1', 'a.io/a:1'],
  );
  t.is(findEntry(store, 'a.io/a:1')?.size, 2);
  t.true(await untagImage(store, 'a.io/a:1'));
  t.false(await untagImage(store, 'a.io/a:1'));
  t.is(findEntry(store, 'a.io/a:1'), undefined);
});

test('what other tools wrote into index.json is kept, and does not disturb', async (t) => {
  const store = newStore(t);
  const path = join(store.directory, 'index.json');
  const foreign = [
    { mediaType: 'x', digest: 'not one', size: 1 },
    { ...entry, extra: 1, annotations: { other: 'y' } },
  ];
  writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: foreign, annotations: { by: 'someone' } }));
  await tagImage(store, 'a.io/a:1', entry);
  const read = JSON.parse(readFileSync(path, 'utf8')) as { manifests: unknown[]; annotations: unknown };
  t.deepEqual(read.manifests.slice(0, 2), foreign);
  t.deepEqual(read.annotations, { by: 'someone' });
  t.is(readIndex(store).length, 2);
});

test('an unreadable index.json is no image, and heals with the next tag', async (t) => {
  const store = newStore(t);
  const path = join(store.directory, 'index.json');
  writeFileSync(path, '{"manifests": [');
  t.is(resolveImage(store, 'a.io/a:1'), undefined);
  t.true(
    isOciError(
      t.throws(() => readIndex(store)),
      'STORE_CORRUPT',
    ),
  );
  await tagImage(store, 'a.io/a:1', entry);
  t.is(readIndex(store).length, 1);
  t.true(existsSync(`${path}.unreadable`));
});

test('several processes that tag at once lose no tag', async (t) => {
  const store = newStore(t);
  const module = new URL('../../../src/oci/image/image-index.ts', import.meta.url).href;
  const script = `
    import { tagImage } from ${JSON.stringify(module)};
    const [store, entry, name] = process.argv.slice(1).map((text) => JSON.parse(text));
    for (let at = 0; at < 5; at += 1) await tagImage(store, name + ':' + at, entry);`;
  const names = ['a.io/a', 'a.io/b', 'a.io/c'];
  const children = names.map((name) => {
    const values = [store, entry, name].map((value) => JSON.stringify(value));
    return spawn(process.execPath, ['--input-type=module', '-e', script, ...values], { stdio: 'inherit' });
  });
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
  t.deepEqual(codes, [0, 0, 0]);
  t.is(readIndex(store).length, 15);
  t.deepEqual(readdirSync(store.ingestDirectory), []);
});

test('pruning keeps what is tagged and what is a root, and takes the rest', async (t) => {
  const store = newStore(t);
  const layers = new MemoryLayers();
  const [tagged, root, gone] = [
    await importSample(store, layers, 'tagged'),
    await importSample(store, layers, 'root'),
    await importSample(store, layers, 'gone'),
  ];
  await untagImage(store, 'localhost/root:1');
  await untagImage(store, 'localhost/gone:1');
  const pruned = await prune(store, { layers, roots: [root.digest] });
  t.deepEqual(pruned.blobs.toSorted(), [gone.digest, ...gone.blobs.keys()].toSorted());
  t.deepEqual(pruned.layers, [...gone.diffIDs]);
  t.true(pruned.freedBytes > 200_000);
  t.deepEqual(layers.list().toSorted(), [...tagged.diffIDs, ...root.diffIDs].toSorted());
  t.truthy(resolveImage(store, 'localhost/tagged:1'));
  t.deepEqual((await prune(store, { layers, roots: [root.digest] })).blobs, []);
});

test('pruning deletes nothing when a root cannot be followed', async (t) => {
  const store = newStore(t);
  const layers = new MemoryLayers();
  const image = await importSample(store, layers, 'a');
  await untagImage(store, 'localhost/a:1');
  const missing = digestOf(Buffer.from('missing'));
  t.true(isOciError(await t.throwsAsync(prune(store, { layers, roots: [missing] })), 'STORE_CORRUPT'));
  writeFileSync(blobPath(store, image.digest), 'damaged');
  t.true(isOciError(await t.throwsAsync(prune(store, { layers, roots: [image.digest] })), 'STORE_CORRUPT'));
  t.deepEqual(layers.list(), [...image.diffIDs]);
});

test('pruning keeps layers that the caller mounts', async (t) => {
  const store = newStore(t);
  const layers = new MemoryLayers();
  const { diffIDs } = await importSample(store, layers, 'a');
  await untagImage(store, 'localhost/a:1');
  await prune(store, { layers, roots: [], keepLayers: diffIDs });
  t.deepEqual(layers.list(), [...diffIDs]);
});

test('pruning waits until nobody brings images in', async (t) => {
  const store = newStore(t);
  const layers = new MemoryLayers();
  const blob = await putBlob(store, Buffer.from('being pulled'));
  const lease = await takeStoreLease(store, undefined);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 30);
  await t.throwsAsync(prune(store, { layers, roots: [], signal: stop.signal }), { name: 'AbortError' });
  t.true(hasBlob(store, { digest: blob, size: 12 }));
  lease[Symbol.dispose]();
  t.deepEqual((await prune(store, { layers, roots: [] })).blobs, [blob]);
});

test('pruning removes downloads that were abandoned long ago, and keeps those of today', async (t) => {
  const store = newStore(t);
  const [old, fresh] = ['old', 'fresh'].map((text) => partialPath(store, digestOf(Buffer.from(text))));
  if (old === undefined || fresh === undefined) return t.fail();
  for (const path of [old, fresh, join(store.ingestDirectory, 'write-of-a-dead-process')])
    writeFileSync(path, 'partial');
  writeFileSync(`${old}.lock`, '');
  for (const path of [old, `${old}.lock`, join(store.ingestDirectory, 'write-of-a-dead-process')])
    utimesSync(path, 0, 0);
  t.is((await prune(store, { layers: new MemoryLayers(), roots: [] })).freedBytes, 14);
  t.deepEqual(
    readdirSync(store.ingestDirectory).map((name) => join(store.ingestDirectory, name)),
    [fresh],
  );
});
