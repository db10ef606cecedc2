import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { besideVolume, ensureVolume, listVolumes, volumePath } from '../../../src/oci/volume/volume-store.ts';

function newRoot(t: ExecutionContext): string {
  const root = mkdtempSync(join(tmpdir(), 'berth-volumes-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  return root;
}

test('a name that could lead elsewhere is no name of a volume', (t) => {
  for (const name of ['', '.', '..', '.hidden', 'a/b', '../a', 'UPPER', 'nul\0', '-a', 'a'.repeat(254)]) {
    t.throws(() => volumePath('/root', { namespace: 'default', name }), { instanceOf: RangeError }, name);
    t.throws(() => volumePath('/root', { namespace: name, name: 'data' }), { instanceOf: RangeError }, name);
  }
  t.is(volumePath('/root', { namespace: 'shop', name: 'my.data-1' }), '/root/volumes/shop/my.data-1');
});

test('a volume is made for anyone to write, and left alone afterwards', (t) => {
  const root = newRoot(t);
  const path = ensureVolume(root, { namespace: 'shop', name: 'data' });
  t.is(statSync(path).mode & 0o7777, 0o777);
  chmodSync(path, 0o700);
  writeFileSync(join(path, 'file'), '');
  t.is(ensureVolume(root, { namespace: 'shop', name: 'data' }), path);
  t.is(statSync(path).mode & 0o7777, 0o700);
  t.true(statSync(join(path, 'file')).isFile());
});

test('the list has every volume by name, and nothing that is being made or removed', (t) => {
  const root = newRoot(t);
  t.deepEqual(listVolumes(root), []);
  const volumes = [
    { namespace: 'default', name: 'b' },
    { namespace: 'shop', name: 'a' },
    { namespace: 'shop', name: 'z' },
  ];
  for (const volume of volumes.toReversed()) ensureVolume(root, volume);
  mkdirSync(besideVolume(root, { namespace: 'shop', name: 'z' }, 'restored'));
  t.deepEqual(listVolumes(root), volumes);
});
