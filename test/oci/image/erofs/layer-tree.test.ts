import test from 'ava';

import { LayerTree, TREE_LIMITS, type TreeLimits } from '../../../../src/oci/image/erofs/layer-tree.ts';
import { TarParser } from '../../../../src/oci/image/tar-parser.ts';
import { tarBytes, type TestEntry } from '../tar-bytes.ts';

function treeOf(tar: Buffer, limits: TreeLimits = TREE_LIMITS): LayerTree {
  const tree = new LayerTree(limits);
  const parser = new TarParser(tree);
  // In pieces that cut everything somewhere.
  for (let offset = 0; offset < tar.length; offset += 777) parser.push(tar.subarray(offset, offset + 777));
  parser.finish();
  return tree;
}

const entries: readonly TestEntry[] = [
  { name: 'd/a', body: 'text' },
  { name: 'd/b', body: 'x'.repeat(2000) },
];

test('an ordinary layer needs no extraction', (t) => {
  const tree = treeOf(tarBytes(entries));
  t.is(tree.unfit, undefined);
  t.deepEqual(tree.summary(), { entries: 2, sizeBytes: 2004, implied: ['', 'd'], opaqueRoot: false });
});

test('a layer with something between its files is one to extract: whoever maps a file would see it', (t) => {
  const tar = tarBytes(entries);
  const at = tar.indexOf('text') + 300;
  tar[at] = 1;
  const tree = treeOf(tar);
  t.regex(tree.unfit ?? '', /between its files/);
  t.is(tree.root.children.size, 0);
  t.is(tree.summary().entries, 2);
});

test('a layer of more files than there is memory for is one to extract', (t) => {
  const many = Array.from({ length: 20 }, (_, index) => ({ name: `f${index}` }));
  t.is(treeOf(tarBytes(many), { nodes: 20, xattrBytes: 100 }).unfit, undefined);
  t.regex(treeOf(tarBytes(many), { nodes: 19, xattrBytes: 100 }).unfit ?? '', /more than 19 files/);
  t.regex(treeOf(tarBytes([{ name: 'a/'.repeat(40) }]), { nodes: 19, xattrBytes: 100 }).unfit ?? '', /more than 19/);
  const pax = { 'SCHILY.xattr.user.k': 'v'.repeat(60) };
  const heavy = [
    { name: 'a', pax },
    { name: 'b', pax },
  ];
  t.regex(treeOf(tarBytes(heavy), { nodes: 20, xattrBytes: 100 }).unfit ?? '', /attributes/);
});

test('a tree that is deeper than any stack is taken apart all the same', (t) => {
  // Each link doubles how deep a path of at most 4096 bytes reaches.
  const deep = 'd/'.repeat(2000).slice(0, -1);
  const chain = ['', 'l0/', 'l1/', 'l2/', 'l3/'].flatMap((prefix, index): TestEntry[] => [
    { name: 'x', type: '5', pax: { path: `${prefix}${deep}` } },
    { name: 'x', type: '2', linkname: 'x', pax: { path: `l${index}`, linkpath: `${prefix}${deep}` } },
  ]);
  const tree = treeOf(tarBytes(chain));
  t.is(tree.unfit, undefined);
  t.true(tree.summary().implied.some((path) => path.length > 19_000));
});
