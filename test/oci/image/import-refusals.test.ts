// Layouts and archives that are damaged or hostile: what is said, and that nothing of them is kept.
import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import test from 'ava';

import type { OciErrorCode } from '../../../src/oci/error.ts';
import { OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';

import { blobName, dockerFiles, layoutFiles, refuses, scene, tar, writeFiles, type Files } from './import-scene.ts';
import { sampleImage } from './sample-image.ts';

test('a blob that is a symbolic link is refused, also through a linked directory', async (t) => {
  const image = sampleImage();
  const name = blobName(image.layerDigests[0] ?? '');
  for (const linked of [name, 'blobs/sha256', 'blobs']) {
    const stage = scene(t);
    const path = writeFiles(join(stage.directory, 'layout'), layoutFiles(image));
    renameSync(join(path, linked), join(stage.directory, 'elsewhere'));
    symlinkSync(join(stage.directory, 'elsewhere'), join(path, linked));
    await refuses(t, stage, path, 'ARCHIVE_INVALID', /symbolic link, which is not followed/);
    t.deepEqual(stage.layers.list(), []);
  }
});

test('a blob that is a FIFO is refused and not waited for', async (t) => {
  const stage = scene(t);
  const image = sampleImage();
  const path = writeFiles(join(stage.directory, 'layout'), layoutFiles(image));
  const blob = join(path, blobName(image.digest));
  rmSync(blob);
  t.is(spawnSync('mkfifo', [blob]).status, 0);
  await refuses(t, stage, path, 'ARCHIVE_INVALID', /is not a regular file/);
});

const image = sampleImage();
const layerName = blobName(image.layerDigests[0] ?? '');
const layerBytes = image.blobs.get(image.layerDigests[0] ?? '') ?? Buffer.alloc(0);
const broken: Readonly<Record<string, { files: Files; code: OciErrorCode; message: RegExp }>> = {
  'a layer with other bytes': {
    files: { ...layoutFiles(image), [layerName]: Buffer.concat([layerBytes.subarray(0, -1), Buffer.from('x')]) },
    code: 'DIGEST_MISMATCH',
    message: /another digest/,
  },
  'a layer that is too long': {
    files: { ...layoutFiles(image), [layerName]: Buffer.concat([layerBytes, Buffer.from('x')]) },
    code: 'SIZE_MISMATCH',
    message: /expected/,
  },
  'a manifest with other bytes': {
    files: { ...layoutFiles(image), [blobName(image.digest)]: '{}' },
    code: 'DIGEST_MISMATCH',
    message: /has digest/,
  },
  'no index.json': {
    files: { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' },
    code: 'ARCHIVE_INVALID',
    message: /index\.json is missing/,
  },
  'a layout version of the future': {
    files: { ...layoutFiles(image), 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' },
    code: 'ARCHIVE_INVALID',
    message: /oci-layout: imageLayoutVersion/,
  },
  'a digest that climbs out of the blobs': {
    files: {
      ...layoutFiles(image),
      'index.json': JSON.stringify({
        manifests: [{ mediaType: OCI_MANIFEST, digest: 'sha256:../../index.json', size: 2 }],
      }),
    },
    code: 'ARCHIVE_INVALID',
    message: /manifests\[0\]\.digest: expected a digest/,
  },
  'no image': {
    files: { ...layoutFiles(image), 'index.json': '{"manifests":[]}' },
    code: 'ARCHIVE_INVALID',
    message: /contains no image/,
  },
  'neither kind of archive': { files: { readme: 'hello' }, code: 'ARCHIVE_INVALID', message: /is no OCI image layout/ },
};

for (const [title, { files, code, message }] of Object.entries(broken)) {
  test(`a layout with ${title} is refused`, async (t) => {
    const stage = scene(t);
    await refuses(t, stage, writeFiles(join(stage.directory, 'layout'), files), code, message);
    t.deepEqual(stage.layers.list(), []);
  });

  test(`an oci-archive with ${title} is refused`, async (t) => {
    const stage = scene(t);
    const path = join(stage.directory, 'app.tar');
    writeFileSync(path, tar(files));
    await refuses(t, stage, path, code, message);
    t.deepEqual(stage.layers.list(), []);
  });
}

test('a docker-archive whose layer is not what its config says is refused', async (t) => {
  const stage = scene(t);
  const path = join(stage.directory, 'app.tar');
  writeFileSync(path, tar({ ...dockerFiles(image), 'layer-0/layer.tar': 'something else' }));
  await refuses(t, stage, path, 'DIGEST_MISMATCH', /another digest/);
});

test('an archive that grows without end when it is inflated is refused', async (t) => {
  const stage = scene(t);
  const path = join(stage.directory, 'bomb.tar.gz');
  writeFileSync(path, gzipSync(Buffer.alloc(80 * 1024 * 1024)));
  await refuses(t, stage, path, 'ARCHIVE_INVALID', /grows beyond/);
  t.deepEqual(readdirSync(stage.store.ingestDirectory), []);
});

test('a file that is no archive, a cut archive and a missing one are refused', async (t) => {
  const stage = scene(t);
  const path = join(stage.directory, 'x.tar');
  writeFileSync(path, Buffer.alloc(2000, 'x'));
  await refuses(t, stage, path, 'TAR_INVALID', /./);
  writeFileSync(path, tar(layoutFiles(image)).subarray(0, 50_000));
  await refuses(t, stage, path, 'TAR_INVALID', /middle of an entry/);
  writeFileSync(path, gzipSync(tar(layoutFiles(image))).subarray(0, 50_000));
  await refuses(t, stage, path, 'ARCHIVE_INVALID', /compressed, and damaged/);
  await refuses(t, stage, '/nonexistent/x.tar', 'ARCHIVE_INVALID', /no such file/);
});
