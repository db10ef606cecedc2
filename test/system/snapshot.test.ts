import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import type { Fd } from '../../src/linux/fd.ts';
import { fsconfigCreate, fsconfigSet, fsmount, fsopen } from '../../src/linux/mount-api.ts';
import { prepareUpper, type SnapshotLayer, snapshotLayers } from '../../src/oci/image/snapshot.ts';
import { tarBytes, type TestEntry } from '../oci/image/tar-bytes.ts';
import { layersUnusable, scratchDirectory, writeLayer } from './layer-scene.ts';

const overlayKnown = readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n');
const unusable = layersUnusable ?? (overlayKnown ? undefined : 'no overlayfs in this kernel');
const run = unusable === undefined ? test : test.skip;
const why = unusable === undefined ? '' : ` (skipped: ${unusable})`;

/** Unpack layers, the uppermost first. */
function layersOf(directory: string, layers: readonly (readonly TestEntry[])[]): SnapshotLayer[] {
  return layers.map((entries, index) => {
    const { root, summary } = writeLayer(join(directory, `layer-${index}`), tarBytes(entries));
    return { directory: root, summary };
  });
}

/** What is visible through a detached mount. */
function inside(mount: Fd, path = '.'): string {
  return `/proc/self/fd/${mount.number}/${path}`;
}

/** Layers under a writable directory, mounted nowhere. */
function mountOverlay(layers: readonly SnapshotLayer[], { upper, work }: { upper: string; work: string }): Fd {
  using context = fsopen('overlay');
  fsconfigSet(context, 'lowerdir', layers.map(({ directory }) => directory).join(':'));
  fsconfigSet(context, 'upperdir', upper);
  fsconfigSet(context, 'workdir', work);
  fsconfigCreate(context);
  return fsmount(context);
}

function writableIn(directory: string): { readonly upper: string; readonly work: string } {
  const [upper, work] = [join(directory, 'upper'), join(directory, 'work')];
  for (const path of [upper, work]) mkdirSync(path);
  return { upper, work };
}

run(
  `whiteouts and opaque directories hide the layers below, also in a directory that only one layer has${why}`,
  (t) => {
    const directory = scratchDirectory(t);
    const layers = layersOf(directory, [
      [
        { name: '.wh.gone' },
        { name: 'opaque/new' },
        { name: 'opaque/.wh..wh..opq' },
        { name: 'only/.wh.nothing' },
        { name: 'only/file' },
      ],
      [{ name: 'gone/a' }, { name: 'kept' }, { name: 'opaque/old' }],
    ]);
    const { upper, work } = writableIn(directory);
    using mount = mountOverlay(layers, { upper, work });
    t.deepEqual(readdirSync(inside(mount)).sort(), ['kept', 'only', 'opaque']);
    t.deepEqual(readdirSync(inside(mount, 'opaque')), ['new']);
    t.deepEqual(readdirSync(inside(mount, 'only')), ['file']);
  },
);

run(`implied directories keep what a lower layer says of them, and the root what the image says${why}`, (t) => {
  const directory = scratchDirectory(t);
  const layers = layersOf(directory, [
    [{ name: 'tmp/x' }, { name: 'srv/deep/y' }],
    [
      { name: './', type: '5', mode: 0o711, mtime: 99 },
      {
        name: 'tmp/',
        type: '5',
        mode: 0o1777,
        uid: 7,
        gid: 8,
        mtime: 1234,
        pax: { 'SCHILY.xattr.user.k': 'v', mtime: '-3.5' },
      },
      { name: 'srv/', type: '5', mode: 0o700 },
      { name: 'srv/deep/', type: '5', mode: 0o750 },
    ],
  ]);
  const { upper, work } = writableIn(directory);
  chmodSync(upper, 0o700);
  prepareUpper(upper, layers);
  using mount = mountOverlay(layers, { upper, work });
  const found = (path: string): readonly number[] => {
    const { mode, uid, gid, mtimeMs } = statSync(inside(mount, path));
    return [mode & 0o7777, uid, gid, mtimeMs];
  };
  t.deepEqual(found('tmp'), [0o1777, 7, 8, -3500]);
  t.deepEqual(
    ['srv', 'srv/deep'].map((path) => found(path)[0]),
    [0o700, 0o750],
  );
  t.deepEqual(found('.').slice(0, 1), [0o711]);
  t.deepEqual(readdirSync(inside(mount, 'tmp')), ['x']);
  t.true(lstatSync(inside(mount, 'srv/deep/y')).isFile());
});

run(`a layer that occurs twice is stacked once, and one that hides everything is the lowest${why}`, (t) => {
  const directory = scratchDirectory(t);
  const layers = layersOf(directory, [[{ name: 'a' }], [{ name: '.wh..wh..opq' }, { name: 'b' }], [{ name: 'c' }]]);
  const missing: SnapshotLayer = { directory: '', summary: { implied: [], opaqueRoot: false } };
  const source = { layer: (diffID: string) => layers[Number(diffID)] ?? missing };
  const stack = (...diffIDs: readonly string[]): (string | undefined)[] =>
    snapshotLayers(source, diffIDs).map((layer) => readdirSync(layer.directory)[0]);
  t.deepEqual(stack('2', '0', '2', '0'), ['a', 'c']);
  t.deepEqual(stack('2', '1', '0'), ['a', 'b']);
});
