// Import of honest layouts and archives, and export.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import test from 'ava';

import { exportImage } from '../../../src/oci/image/export.ts';
import { REF_NAME } from '../../../src/oci/image/image-index.ts';
import { importImages } from '../../../src/oci/image/import.ts';
import { fallbackName, layoutName } from '../../../src/oci/image/layout-images.ts';
import { OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';

import { dockerFiles, imported, layoutFiles, refuses, scene, tar, writeFiles } from './import-scene.ts';
import { sampleImage } from './sample-image.ts';

test('a layout directory is imported under its own names', async (t) => {
  const stage = scene(t);
  const image = sampleImage({ layerBytes: [700_000, 0, 20] });
  const path = writeFiles(join(stage.directory, 'layout'), layoutFiles(image));
  const [found] = await importImages(path, stage);
  t.is(found?.digest, image.digest);
  imported(t, stage, image, 'ghcr.io/team/app:1');
});

for (const [kind, pack] of [
  ['', (bytes: Buffer) => bytes],
  [' with gzip', (bytes: Buffer) => gzipSync(bytes)],
  [' with zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
] as const) {
  test(`an oci-archive${kind} is imported`, async (t) => {
    const stage = scene(t);
    const image = sampleImage({ layerBytes: [700_000, 5] });
    const path = join(stage.directory, 'app.oci.tar');
    writeFileSync(path, pack(tar(layoutFiles(image))));
    const [found] = await importImages(path, stage);
    t.is(found?.digest, image.digest);
    imported(t, stage, image, 'ghcr.io/team/app:1');
  });

  test(`a docker-archive${kind} is imported under each of its tags`, async (t) => {
    const stage = scene(t);
    const image = sampleImage({ layerBytes: [700_000, 5] });
    const path = join(stage.directory, 'app.tar');
    writeFileSync(path, pack(tar(dockerFiles(image, ['app:1', 'ghcr.io/team/app:2']))));
    t.is((await importImages(path, stage)).length, 2);
    imported(t, stage, image, 'app:1');
    imported(t, stage, image, 'ghcr.io/team/app:2');
  });
}

test('an archive with names that begin with "./" is imported', async (t) => {
  const stage = scene(t);
  const image = sampleImage();
  const path = join(stage.directory, 'app.tar');
  writeFileSync(
    path,
    tar(Object.fromEntries(Object.entries(layoutFiles(image)).map(([name, content]) => [`./${name}`, content]))),
  );
  await importImages(path, stage);
  imported(t, stage, image, 'ghcr.io/team/app:1');
});

test('an image without a name is called after its file, or as the caller says', async (t) => {
  const stage = scene(t);
  const image = sampleImage();
  const path = join(stage.directory, 'My App.oci.tar');
  writeFileSync(path, tar(layoutFiles(image, {})));
  t.is((await importImages(path, stage))[0]?.reference, 'localhost/my-app:latest');
  t.is((await importImages(path, { ...stage, name: 'quay.io/x/y:3' }))[0]?.reference, 'quay.io/x/y:3');
});

test('names of layout entries and files become references', (t) => {
  t.is(layoutName({ annotations: { [REF_NAME]: 'alpine:3' } }, 'x'), 'docker.io/library/alpine:3');
  t.is(layoutName({ annotations: { [REF_NAME]: '1.2' } }, 'x'), 'localhost/x:1.2');
  t.is(
    layoutName({ annotations: { [REF_NAME]: '3', 'io.containerd.image.name': 'docker.io/library/alpine:3' } }, 'x'),
    'docker.io/library/alpine:3',
  );
  t.is(fallbackName('/a/b/'), 'b');
  t.is(fallbackName('/a/---.tar.gz'), 'image');
});

test('an image for another machine is passed over when there is one for this, and refused when there is none', async (t) => {
  const stage = scene(t);
  const [mine, other] = [sampleImage(), sampleImage({ architecture: 's390x' })];
  const entries = [other, mine].map(({ digest, manifest }, at) => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: manifest.length,
    annotations: { [REF_NAME]: `a.io/app:${at}` },
  }));
  const files = {
    ...layoutFiles(mine),
    ...layoutFiles(other),
    'index.json': JSON.stringify({ schemaVersion: 2, manifests: entries }),
  };
  const images = await importImages(writeFiles(join(stage.directory, 'layout'), files), stage);
  t.deepEqual(
    images.map(({ reference }) => reference),
    ['a.io/app:1'],
  );
  const alone = scene(t);
  const path = writeFiles(join(alone.directory, 'layout'), layoutFiles(other));
  await refuses(t, alone, path, 'PLATFORM_UNAVAILABLE', /s390x/);
});

test('an exported image imports as the same image, and exports as the same bytes', async (t) => {
  const [first, second] = [scene(t), scene(t)];
  const image = sampleImage();
  const [found] = await importImages(writeFiles(join(first.directory, 'layout'), layoutFiles(image)), first);
  if (found === undefined) return t.fail();
  const paths = ['a.tar', 'b.tar'].map((name) => join(first.directory, name));
  for (const path of paths) await exportImage(found, path, first);
  const [a, b] = paths.map((path) => readFileSync(path));
  t.true(a !== undefined && b !== undefined && a.equals(b));
  t.deepEqual(await importImages(paths[0] ?? '', second), [found]);
  t.deepEqual(readdirSync(first.directory).toSorted(), ['a.tar', 'b.tar', 'layout', 'root']);
});
