import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { isOciError, OciError, type OciErrorCode } from '../../../src/oci/error.ts';
import { parseImageConfig } from '../../../src/oci/image/image-config.ts';
import { parseManifest } from '../../../src/oci/image/manifest.ts';
import {
  bareMediaType,
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../../../src/oci/image/media-type.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: OCI_CONFIG, digest: DIGEST, size: 2 };
const layer = { mediaType: OCI_LAYER_GZIP, digest: DIGEST, size: 9, annotations: { note: 'x' } };
const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...config, mediaType: OCI_MANIFEST, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }],
};

function bytes(document: unknown): Buffer {
  return Buffer.from(JSON.stringify(document));
}

test('a manifest and an index are read, unknown fields are left out', (t) => {
  const read = parseManifest(
    bytes({ ...manifest, artifactType: 'x', subject: config }),
    `${OCI_MANIFEST}; charset=utf-8`,
  );
  t.is(read.kind, 'manifest');
  t.deepEqual(read, {
    kind: 'manifest',
    manifest: {
      mediaType: OCI_MANIFEST,
      config: { ...config, platform: undefined, annotations: undefined },
      layers: [{ ...layer, platform: undefined }],
    },
  });
  const list = parseManifest(bytes(index), undefined);
  t.is(list.kind === 'index' ? list.index.manifests[0]?.platform?.variant : '', 'v7');
});

test("Docker's types are read", (t) => {
  const docker = {
    ...manifest,
    mediaType: DOCKER_MANIFEST,
    config: { ...config, mediaType: DOCKER_CONFIG },
    layers: [{ ...layer, mediaType: DOCKER_LAYER_GZIP }],
  };
  t.is(parseManifest(bytes(docker), DOCKER_MANIFEST).kind, 'manifest');
  t.is(parseManifest(bytes({ ...index, mediaType: DOCKER_LIST }), DOCKER_LIST).kind, 'index');
});

test('a document without a media type is what it was served as, and one served as JSON is what it says', (t) => {
  const { mediaType: _, ...unnamed } = manifest;
  t.is(parseManifest(bytes(unnamed), OCI_MANIFEST).kind, 'manifest');
  t.is(parseManifest(bytes(manifest), 'application/json').kind, 'manifest');
  t.throws(() => parseManifest(bytes(unnamed), 'application/json'), { message: /of type "application\/json"/ });
  t.throws(() => parseManifest(bytes(unnamed), undefined), { message: /of type ""/ });
});

const refused: Readonly<Record<string, readonly [unknown, string, OciErrorCode, RegExp]>> = {
  'both kinds at once, as manifest': [{ ...manifest, manifests: [] }, OCI_MANIFEST, 'MANIFEST_INVALID', /two ways/],
  'both kinds at once, as index': [{ ...index, layers: [] }, OCI_INDEX, 'MANIFEST_INVALID', /two ways/],
  'an index with a config': [{ ...index, config }, OCI_INDEX, 'MANIFEST_INVALID', /two ways/],
  'an index that is served as a manifest': [index, OCI_MANIFEST, 'MANIFEST_INVALID', /served as/],
  'a foreign layer': [
    {
      ...manifest,
      layers: [
        { ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: ['https://x'] },
      ],
    },
    OCI_MANIFEST,
    'MANIFEST_UNSUPPORTED',
    /is foreign/,
  ],
  'a layer that is no tar': [
    { ...manifest, layers: [{ ...layer, mediaType: 'text/plain' }] },
    OCI_MANIFEST,
    'MANIFEST_UNSUPPORTED',
    /cannot be unpacked/,
  ],
  'a config of another kind': [
    { ...manifest, config: { ...config, mediaType: 'application/vnd.oci.empty.v1+json' } },
    OCI_MANIFEST,
    'MANIFEST_UNSUPPORTED',
    /no container image/,
  ],
  'schema 1': [{ schemaVersion: 1 }, 'application/json', 'MANIFEST_UNSUPPORTED', /schema 1/],
  'a digest that is a path': [
    { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc' }] },
    OCI_MANIFEST,
    'MANIFEST_INVALID',
    /layers\[0\]\.digest: expected a digest/,
  ],
  'a negative size': [
    { ...manifest, layers: [{ ...layer, size: -1 }] },
    OCI_MANIFEST,
    'MANIFEST_INVALID',
    /layers\[0\]\.size/,
  ],
  'a size that is no whole number': [
    { ...manifest, config: { ...config, size: 1.5 } },
    OCI_MANIFEST,
    'MANIFEST_INVALID',
    /config\.size/,
  ],
  'more layers than the kernel stacks': [
    { ...manifest, layers: Array.from({ length: 501 }, () => layer) },
    OCI_MANIFEST,
    'MANIFEST_INVALID',
    /501 items/,
  ],
  'an array': [[], OCI_MANIFEST, 'MANIFEST_INVALID', /expected an object/],
  'more than 4 MiB': [
    { ...manifest, pad: 'x'.repeat(4 * 1024 * 1024) },
    OCI_MANIFEST,
    'MANIFEST_INVALID',
    /larger than 4 MiB/,
  ],
};

for (const [title, [document, contentType, code, message]] of Object.entries(refused)) {
  test(`a manifest is refused: ${title}`, (t) => {
    const error = t.throws(() => parseManifest(bytes(document), contentType), { instanceOf: OciError, message });
    t.is(error?.code, code);
  });
}

test('any document is read or refused with a code', (t) => {
  const key = fc.constantFrom(
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'digest',
    'size',
    'platform',
    '__proto__',
  );
  const value = fc.oneof(
    fc.constantFrom<unknown>(2, OCI_MANIFEST, OCI_INDEX, [], {}, null, DIGEST, config, [layer]),
    fc.jsonValue(),
  );
  const document = fc.oneof(
    fc.dictionary(key, value).map((one) => ({ ...manifest, ...one })),
    fc.dictionary(key, value),
    fc.jsonValue(),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(document, fc.constantFrom(OCI_MANIFEST, OCI_INDEX, undefined), (one, contentType) => {
        try {
          const read = parseManifest(bytes(one), contentType);
          const references =
            read.kind === 'index' ? read.index.manifests : [read.manifest.config, ...read.manifest.layers];
          for (const { digest, size } of references) assert.ok(/^sha(256|512):[0-9a-f]+$/.test(digest) && size >= 0);
        } catch (error) {
          assert.ok(isOciError(error, 'MANIFEST_INVALID', 'MANIFEST_UNSUPPORTED'), String(error));
        }
      }),
    ),
  );
});

test('a media type is compared without its parameters and case', (t) => {
  t.is(bareMediaType('Application/JSON ; charset=utf-8'), 'application/json');
  t.is(bareMediaType(''), '');
});

const image = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [DIGEST] } };

test("a config is read, and Docker's nulls are nothing", (t) => {
  const read = parseImageConfig(
    bytes({ ...image, config: { Env: null, Cmd: ['a'], Labels: { a: 'b' }, Volumes: { '/x': {} }, Entrypoint: null } }),
  );
  t.deepEqual(read.config?.Cmd, ['a']);
  t.is(read.config?.Env, undefined);
  t.deepEqual(read.config?.Labels, { a: 'b' });
  t.deepEqual(Object.keys(read.config?.Volumes ?? {}), ['/x']);
  t.is(parseImageConfig(bytes(image)).config, undefined);
});

for (const [title, document] of Object.entries({
  'a NUL in the environment': { ...image, config: { Env: ['A=b\0c'] } },
  'a command that is a string': { ...image, config: { Cmd: 'sh' } },
  'a diffID that is none': { ...image, rootfs: { diff_ids: ['sha256:1'] } },
  'no rootfs': { architecture: 'amd64', os: 'linux' },
})) {
  test(`a config is refused: ${title}`, (t) => {
    t.true(
      isOciError(
        t.throws(() => parseImageConfig(bytes(document))),
        'MANIFEST_INVALID',
      ),
    );
  });
}

test('a label called __proto__ changes nothing', (t) => {
  const read = parseImageConfig(
    Buffer.from(
      '{"architecture":"a","os":"linux","rootfs":{"diff_ids":[]},"config":{"Labels":{"__proto__":"x","a":"b"}}}',
    ),
  );
  t.deepEqual(Object.keys(read.config?.Labels ?? {}), ['a']);
  t.is(Object.getPrototypeOf(read.config?.Labels), Object.prototype);
});
