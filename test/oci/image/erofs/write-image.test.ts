import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { LayerTree } from '../../../../src/oci/image/erofs/layer-tree.ts';
import { writeImage } from '../../../../src/oci/image/erofs/write-image.ts';
import { TarParser } from '../../../../src/oci/image/tar-parser.ts';
import { tarBytes, type TestEntry } from '../tar-bytes.ts';
import { readImage, type ReadNode } from './read-image.ts';

/** What the image of a tar of these entries says. */
function imageOf(entries: readonly TestEntry[]): Map<string, ReadNode> {
  const tar = tarBytes(entries);
  const tree = new LayerTree();
  const parser = new TarParser(tree);
  parser.push(tar);
  parser.finish();
  return readImage(writeImage(tree.root, { tarBytes: tar.length, uuid: Buffer.alloc(16, 7) }), tar);
}

const number = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const bytes = (max: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: 1, maxLength: max }).map((value) => Buffer.from(value).toString('latin1'));
const name = fc
  .oneof({ weight: 4, arbitrary: bytes(12) }, bytes(90))
  .map((text) => text.replaceAll(/[/\0]/g, '_'))
  .filter((text) => text !== '.' && text !== '..' && !text.startsWith('.wh.'));
const xattrs = fc.dictionary(fc.stringMatching(/^SCHILY\.xattr\.user\.[a-z]{1,40}$/), fc.oneof(bytes(30), bytes(600)), {
  maxKeys: 3,
});

/** Entries of different names, in directories that are two deep at most. */
const layers = fc.uniqueArray(
  fc.record({
    name,
    directory: fc.constantFrom('', 'a/', 'a/b/', 'some directory/'),
    type: fc.constantFrom('0', '0', '2', '3', '4', '5', '6'),
    size: fc.oneof(number(3), number(1600)),
    target: bytes(99).map((text) => text.replaceAll('\0', '_')),
    mode: number(0o7777),
    uid: number(4_294_967_294),
    gid: number(70_000),
    mtime: fc.integer({ min: -2_000_000_000, max: 9_000_000_000 }),
    minor: fc.integer({ min: 1, max: 70_000 }),
    xattrs,
  }),
  { maxLength: 60, selector: (entry) => `${entry.directory}${entry.name}` },
);

test('whatever is in a layer, its image says the same', (t) => {
  fc.assert(
    fc.property(layers, (generated) => {
      const entries = generated
        .filter((entry) => !['a', 'b', 'some directory'].includes(entry.name))
        .map(({ directory, size, target, xattrs: pax, ...entry }, index): TestEntry => {
          const path = `./${directory}${entry.name}`;
          const body = Buffer.alloc(entry.type === '0' ? size : 0, `${index} `);
          const isOrdinary = entry.type === '0' || entry.type === '5';
          const links = entry.type === '2' ? { linkname: target } : {};
          return { ...entry, ...links, name: 'x', body, major: 259, pax: { path, ...(isOrdinary ? pax : {}) } };
        });
      const found = imageOf(entries);
      for (const entry of entries) assertNode(found.get((entry.pax?.['path'] ?? '').slice(2)), entry);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

const KINDS: Readonly<Record<string, number>> = {
  '0': 0o100000,
  '2': 0o120000,
  '3': 0o020000,
  '4': 0o060000,
  '5': 0o040000,
  '6': 0o010000,
};

function assertNode(node: ReadNode | undefined, entry: TestEntry): void {
  assert(node, entry.name);
  const { type = '0', mode = 0, uid, gid, mtime = 0, minor = 0, body = '', linkname, pax = {} } = entry;
  const { links: _links, number: _number, mtimeNs: _mtimeNs, ...found } = node;
  const xattrs = Object.entries(pax).filter(([key]) => key.startsWith('SCHILY'));
  assert.deepEqual(found, {
    mode: (KINDS[type] ?? 0) | (type === '2' ? 0o777 : mode),
    uid,
    gid,
    mtime: BigInt(mtime),
    data: type === '0' ? Buffer.from(body).toString('latin1') : type === '2' ? linkname : undefined,
    device: type === '3' || type === '4' ? (minor & 0xff) | (259 << 8) | ((minor & ~0xff) << 12) : undefined,
    xattrs: Object.fromEntries(xattrs.map(([key, value]) => [key.slice('SCHILY.xattr.'.length), value])),
  });
}

test('directories of every size find their place, the root too', (t) => {
  for (let count = 1; count < 200; count++) {
    const names = Array.from({ length: count }, (_, index) => String(index).padStart(1 + (count % 7), '0'));
    const found = imageOf([...names.map((each) => ({ name: each })), ...names.map((each) => ({ name: `d/${each}` }))]);
    t.is(found.size, names.length * 2 + 2);
  }
});

test('links of every length find their place', (t) => {
  const entries = Array.from({ length: 1100 }, (_, index): TestEntry => {
    const pax = { linkpath: 'x'.repeat(index + 1), path: `l${index}` };
    return { name: 'x', type: '2', linkname: 'x', pax };
  });
  const found = imageOf([...entries, { name: 'x', type: '2', linkname: 'x', pax: { linkpath: 'y'.repeat(4095) } }]);
  for (const [index] of entries.entries()) t.is(found.get(`l${index}`)?.data?.length, index + 1);
  t.is(found.get('x')?.data?.length, 4095);
});

test('names of one file are one file, and are counted', (t) => {
  const found = imageOf([
    { name: 'a', body: 'shared' },
    { name: 'b', type: '1', linkname: 'a' },
    { name: 'd/c', type: '1', linkname: '/b' },
    { name: 'a', body: 'new' },
  ]);
  t.deepEqual(
    ['a', 'b', 'd/c'].map((path) => [found.get(path)?.data, found.get(path)?.links]),
    [
      ['new', 1],
      ['shared', 2],
      ['shared', 2],
    ],
  );
  t.is(found.get('b')?.number, found.get('d/c')?.number);
  t.is(found.get('')?.links, 3);
});

test('whiteouts become what overlayfs knows', (t) => {
  const found = imageOf([{ name: 'd/.wh.gone' }, { name: 'o/.wh..wh..opq' }, { name: 'o/new', body: 'x' }]);
  const gone = found.get('d/gone');
  t.deepEqual([gone?.mode, gone?.device], [0o020000, 0]);
  t.deepEqual(found.get('d')?.xattrs, { 'trusted.overlay.origin': '' });
  t.deepEqual(found.get('o')?.xattrs, { 'trusted.overlay.opaque': 'y' });
});

test('times before 1970 and after 2106 are kept to the nanosecond', (t) => {
  const found = imageOf([
    { name: 'x', pax: { path: 'early', mtime: '-1000.25' } },
    { name: 'x', pax: { path: 'late', mtime: '8589934593.5' } },
  ]);
  t.deepEqual([found.get('early')?.mtime, found.get('early')?.mtimeNs], [-1001n, 750_000_000]);
  t.deepEqual([found.get('late')?.mtime, found.get('late')?.mtimeNs], [8_589_934_593n, 500_000_000]);
});
