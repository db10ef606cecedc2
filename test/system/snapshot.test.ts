import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { Fd } from '../../src/linux/fd.ts';
import { fsconfigSet, fsopen } from '../../src/linux/mount-api.ts';
import { openOverlay, type OverlayMethod } from '../../src/oci/image/overlay.ts';
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

function writableIn(directory: string): { readonly upper: string; readonly work: string } {
  const [upper, work] = [join(directory, 'upper'), join(directory, 'work')];
  for (const path of [upper, work]) mkdirSync(path);
  return { upper, work };
}

/** The mounts of this process, without those of others that come and go beside it. */
function overlaysOf(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory));
}

function numberedLayers(t: ExecutionContext, count: number): { readonly directory: string; readonly lowers: string[] } {
  const directory = scratchDirectory(t);
  const lowers = Array.from({ length: count }, (_, index) => join(directory, `l:${index},\\`));
  for (const [index, lower] of lowers.entries()) {
    mkdirSync(lower);
    writeFileSync(join(lower, 'same'), String(index));
    writeFileSync(join(lower, `own-${index}`), '');
  }
  return { directory, lowers };
}

const knowsAppend = ((): boolean => {
  if (unusable !== undefined) return false;
  using context = fsopen('overlay');
  try {
    fsconfigSet(context, 'lowerdir+', '/');
    return true;
  } catch {
    return false;
  }
})();

for (const method of ['append', 'joined', 'mount'] as const satisfies readonly OverlayMethod[]) {
  const able = method !== 'append' || knowsAppend;
  (able ? run : test.skip)(
    `layers are stacked in their order, in no mount namespace: ${method}${able ? why : ' (skipped: Linux 6.8)'}`,
    (t) => {
      for (const count of [2, 10, 120]) {
        const { directory, lowers } = numberedLayers(t, count);
        const { upper, work } = writableIn(directory);
        using mount = openOverlay({ lowers, writable: { upper, work } }, { method });
        t.is(readdirSync(inside(mount)).length, count + 1);
        t.is(readFileSync(inside(mount, 'same'), 'utf8'), '0');
        writeFileSync(inside(mount, 'new'), 'written');
        t.is(readFileSync(join(upper, 'new'), 'utf8'), 'written');
        t.deepEqual(overlaysOf(directory), []);
      }
    },
  );
}

run(`a single layer to read from is mounted as well, and cannot be written${why}`, (t) => {
  const { lowers } = numberedLayers(t, 1);
  using mount = openOverlay({ lowers });
  t.is(readFileSync(inside(mount, 'same'), 'utf8'), '0');
  t.throws(() => writeFileSync(inside(mount, 'new'), ''), { code: 'EROFS' });
});

run(`what the kernel refuses is said with its reason${why}`, (t) => {
  const { lowers } = numberedLayers(t, 2);
  const expected = { name: 'OciError', code: 'OVERLAY_FAILED' };
  t.throws(() => openOverlay({ lowers: [...lowers, '/nonexistent'] }), {
    ...expected,
    message: /overlay of 3 layers.*nonexistent.*ENOENT/,
  });
  t.throws(() => openOverlay({ lowers: [] }), expected);
  using context = fsopen('overlay');
  t.throws(() => fsconfigSet(context, 'nonsense', 'x'), { message: /fsconfig\(nonsense=x\): EINVAL \(.*nonsense/ });
});

run(`an inert mount gives devices and set-id bits no meaning${why}`, (t) => {
  const { lowers } = numberedLayers(t, 2);
  execFileSync('mknod', [join(lowers[0] ?? '', 'null'), 'c', '1', '3']);
  using live = openOverlay({ lowers });
  t.is(readFileSync(inside(live, 'null'), 'utf8'), '');
  using inert = openOverlay({ lowers }, { inert: true });
  t.throws(() => readFileSync(inside(inert, 'null')), { code: 'EACCES' });
});

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
    using mount = openOverlay({ lowers: layers.map((layer) => layer.directory), writable: { upper, work } });
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
  using mount = openOverlay({ lowers: layers.map((layer) => layer.directory), writable: { upper, work } });
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
