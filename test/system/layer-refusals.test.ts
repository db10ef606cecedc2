import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import test, { type ExecutionContext } from 'ava';

import type { OciErrorCode } from '../../src/oci/error.ts';
import { openLayerStore } from '../../src/oci/image/layer-store.ts';
import { headerBlock, tarBytes, type TestEntry } from '../oci/image/tar-bytes.ts';
import {
  blobFile,
  describeTree,
  eachWay,
  layerOf,
  layersUnusable,
  openStore,
  scratchDirectory,
} from './layer-scene.ts';

const run = layersUnusable === undefined ? test : test.skip;
const why = layersUnusable === undefined ? '' : ` (skipped: ${layersUnusable})`;

/** A directory with a victim beside the place to unpack to, which must not change whatever the layer says. */
function besideVictim(t: ExecutionContext): { readonly place: string; readonly assertUnharmed: () => void } {
  const directory = scratchDirectory(t);
  const victim = join(directory, 'victim');
  mkdirSync(join(victim, 'etc'), { recursive: true });
  writeFileSync(join(victim, 'etc/passwd'), 'root');
  symlinkSync('etc', join(victim, 'link'));
  const before = describeTree(victim);
  return {
    place: join(directory, 'layer'),
    assertUnharmed: () => {
      t.deepEqual(describeTree(victim), before);
      t.deepEqual(readdirSync(directory).sort(), ['layer', 'victim']);
    },
  };
}

const link = (name: string, linkname: string): TestEntry => ({ name, type: '2', linkname });
const hard = (name: string, linkname: string): TestEntry => ({ name, type: '1', linkname });
const dir = (name: string): TestEntry => ({ name, type: '5', mode: 0o755 });
const file = (name: string): TestEntry => ({ name, body: 'evil' });

const refused: readonly (readonly [string, readonly TestEntry[], OciErrorCode])[] = [
  ['a name that climbs out', [file('../victim/etc/passwd')], 'UNSAFE_PATH'],
  ['a name that climbs out from within', [dir('a'), file('a/../../victim/x')], 'UNSAFE_PATH'],
  ['a name of dots alone', [file('..')], 'UNSAFE_PATH'],
  ['a long name that climbs out', [{ ...file('x'), pax: { path: '../victim/x' } }], 'UNSAFE_PATH'],
  ['a hard link to a name that climbs out', [hard('x', '../victim/etc/passwd')], 'UNSAFE_PATH'],
  ['a hard link to an absolute name of the host', [hard('x', '/etc/passwd')], 'TAR_INVALID'],
  ['a hard link through a link that leads out', [link('out', '../victim/etc'), hard('x', 'out/passwd')], 'TAR_INVALID'],
  ['a hard link to a directory', [dir('d'), hard('x', 'd')], 'TAR_INVALID'],
  ['a hard link to the root', [hard('x', '.')], 'TAR_INVALID'],
  ['the root as a link', [link('.', '../victim'), file('x')], 'UNSAFE_PATH'],
  ['the root as a file', [file('.')], 'UNSAFE_PATH'],
  ['the root as a hard link', [hard('/', 'x')], 'UNSAFE_PATH'],
  ['an entry below a link that leads nowhere', [link('out', '../victim/etc'), file('out/x')], 'TAR_INVALID'],
  ['an entry below a link that leads to itself', [link('a', 'a'), file('a/x')], 'UNPACK_FAILED'],
  ['an entry below a file', [file('a'), file('a/x')], 'TAR_INVALID'],
  ['an entry below a whiteout', [file('.wh.a/b')], 'UNSAFE_PATH'],
  ['a whiteout of the directory that it is in', [file('d/.wh..')], 'UNSAFE_PATH'],
  ['a whiteout of the directory above', [file('d/.wh...')], 'UNSAFE_PATH'],
  ['a whiteout of nothing', [file('.wh.')], 'UNSAFE_PATH'],
  ['a component of more than 255 bytes', [{ ...file('x'), pax: { path: `a/${'b'.repeat(300)}` } }], 'UNSAFE_PATH'],
  ['a name of more than 4096 bytes', [{ ...file('x'), pax: { path: 'a/'.repeat(3000) } }], 'TAR_INVALID'],
  ['a capability that is none', [{ ...file('x'), pax: { 'SCHILY.xattr.security.capability': 'x' } }], 'UNPACK_FAILED'],
  [
    'an attribute of more than 64 KiB',
    [{ ...file('x'), pax: { 'SCHILY.xattr.user.x': 'x'.repeat(70_000) } }],
    'UNPACK_FAILED',
  ],
];
for (const [what, entries, code] of refused) {
  eachWay(`refused, and nothing outside is touched: ${what}`, (t, writeLayer) => {
    const { place, assertUnharmed } = besideVictim(t);
    t.throws(() => writeLayer(place, tarBytes(entries)), { name: 'OciError', code });
    assertUnharmed();
  });
}

const contained: readonly (readonly [string, readonly TestEntry[], string])[] = [
  ['an absolute link', [link('out', '/etc'), dir('etc'), file('out/x')], 'etc/x'],
  ['a link that climbs', [link('a/out', '../../../../etc'), dir('etc'), file('a/out/x')], 'etc/x'],
  ['a chain of links', [dir('d'), link('one', '/two'), link('two', '../d'), file('one/x')], 'd/x'],
  [
    'a link into /proc',
    [dir('proc/self/root/etc'), link('out', '/proc/self/root/etc'), file('out/x')],
    'proc/self/root/etc/x',
  ],
];
for (const [what, entries, where] of contained) {
  eachWay(`an entry below ${what} stays within the layer`, (t, writeLayer) => {
    const { place, assertUnharmed } = besideVictim(t);
    const { root } = writeLayer(place, tarBytes(entries));
    t.true(lstatSync(join(root, where)).isFile());
    t.throws(() => lstatSync('/etc/x'), { code: 'ENOENT' });
    assertUnharmed();
  });
}

eachWay('a link is replaced and not written through', (t, writeLayer) => {
  const { place, assertUnharmed } = besideVictim(t);
  const entries = [
    link('x', '../victim/etc/passwd'),
    file('x'),
    link('d', '../victim/etc'),
    dir('d'),
    file('d/passwd'),
  ];
  const { root } = writeLayer(place, tarBytes(entries));
  t.true(lstatSync(join(root, 'x')).isFile());
  t.true(lstatSync(join(root, 'd')).isDirectory());
  assertUnharmed();
});

eachWay('attributes of a link are its own', (t, writeLayer) => {
  const { place, assertUnharmed } = besideVictim(t);
  writeLayer(place, tarBytes([{ ...link('x', '../victim/etc/passwd'), mode: 0o777, uid: 12, gid: 13, mtime: 5 }]));
  assertUnharmed();
});

/** What a layer store makes of a blob: always the same nothing, and an error that says why. */
const blobs: readonly (readonly [string, () => { readonly tar: Buffer; readonly blob: Buffer }, OciErrorCode])[] = [
  [
    'a tar of zeros that grows a thousandfold',
    () => {
      const tar = Buffer.concat([headerBlock({ name: 'zeros' }, 300 << 20), Buffer.alloc(301 << 20)]);
      return { tar, blob: gzipSync(tar) };
    },
    'LAYER_INVALID',
  ],
  [
    'a file that is said to be of 8 EiB',
    () => {
      const tar = Buffer.concat([headerBlock({ name: 'huge' }, 2 ** 53 - 1024), Buffer.alloc(1024)]);
      return { tar, blob: zstdCompressSync(tar) };
    },
    'TAR_INVALID',
  ],
  ['no layer at all', () => ({ tar: Buffer.alloc(0), blob: Buffer.alloc(0) }), 'LAYER_INVALID'],
  ['a web page', () => ({ tar: Buffer.alloc(0), blob: Buffer.from('<html>'.repeat(200)) }), 'TAR_INVALID'],
  [
    'another tar than the image says',
    () => ({ tar: tarBytes([{ name: 'expected' }]), blob: gzipSync(tarBytes([{ name: 'found' }])) }),
    'DIGEST_MISMATCH',
  ],
  [
    'gzip with something after it',
    () => ({
      tar: tarBytes([{ name: 'a' }]),
      blob: Buffer.concat([gzipSync(tarBytes([{ name: 'a' }])), Buffer.from('x')]),
    }),
    'LAYER_INVALID',
  ],
];
for (const [what, make, code] of blobs) {
  run(`the store refuses ${what}, and keeps nothing of it${why}`, async (t) => {
    const directory = scratchDirectory(t);
    const store = openStore(t, join(directory, 'root'));
    const { tar, blob } = make();
    const layer = layerOf(tar, blob);
    await t.throwsAsync(store.unpackBlob(layer, blobFile(directory, layer)), { name: 'OciError', code });
    t.false(store.has(layer.diffID));
    await store.settle();
    t.deepEqual(readdirSync(join(directory, 'root/layers')), ['.locks']);
    t.deepEqual(readdirSync(join(directory, 'root/layers/.locks')), []);
  });
}

run(`a layer stops growing while there is still space for others${why}`, async (t) => {
  const directory = scratchDirectory(t);
  const tar = tarBytes([{ name: 'large', body: Buffer.alloc(70 << 20, 'incompressible enough') }]);
  const layer = layerOf(tar, tar);
  const store = openLayerStore(join(directory, 'root'), { reserveBytes: 2 ** 60 });
  t.teardown(() => store[Symbol.asyncDispose]());
  await t.throwsAsync(store.unpackBlob(layer, blobFile(directory, layer)), { name: 'OciError', code: 'DISK_FULL' });
  t.false(store.has(layer.diffID));
});
