import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import { parseBatch, parseTree } from '../../src/reconcile/git-tree.ts';
import { SourceError } from '../../src/reconcile/source.ts';

const OBJECT = 'a'.repeat(40);

function listing(...records: readonly (readonly [mode: string, type: string, size: string, path: string])[]): Buffer {
  return Buffer.from(
    records.map(([mode, type, size, path]) => `${mode} ${type} ${OBJECT} ${size.padStart(7)}\t${path}\0`).join(''),
  );
}

test('a listing is sorted out into manifests, archives and layouts', (t) => {
  const tree = parseTree(
    listing(
      ['100644', 'blob', '3', 'b.yaml'],
      ['100755', 'blob', '1', 'a.json'],
      ['100644', 'blob', '9', 'images/x.oci.tar'],
      ['100644', 'blob', '2', 'images/l/oci-layout'],
      ['100644', 'blob', '2', 'images/l/blobs/sha256/ab'],
      ['100644', 'blob', '2', 'README.md'],
      ['120000', 'blob', '2', '.hidden/link'],
    ),
  );
  t.deepEqual(
    tree.manifests.map(({ path }) => path),
    ['a.json', 'b.yaml'],
  );
  t.deepEqual(tree.archives, [{ path: 'images/x.oci.tar', object: OBJECT, sizeBytes: 9 }]);
  t.deepEqual([...tree.layouts.keys()], ['images/l']);
  t.is(tree.layouts.get('images/l')?.length, 2);
});

const refused = test.macro({
  exec(t, output: Buffer, reason: RegExp) {
    const error = t.throws(() => parseTree(output), { instanceOf: SourceError });
    t.is(error?.code, 'SOURCE_INVALID');
    t.regex(error?.message ?? '', reason);
  },
  title: (given) => `${given} is refused`,
});

test('a symbolic link', refused, listing(['120000', 'blob', '2', 'x']), /^x is a symbolic link/);
test('a submodule', refused, listing(['160000', 'commit', '-', 'x']), /^x is a submodule/);
test('a path that climbs', refused, listing(['100644', 'blob', '2', 'a/../b.yaml']), /is no path|listed/);
test('a name that is not UTF-8', refused, Buffer.from([...Buffer.from(`100644 blob ${OBJECT} 2\t`), 0xff, 0]), /UTF-8/);
test('a huge manifest', refused, listing(['100644', 'blob', '9999999', 'a.yaml']), /too large/);
test('a record of another form', refused, Buffer.from('nonsense\0'), /listed/);

test('any listing is understood or refused', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      parseTree(bytes);
    } catch (error) {
      assert(error instanceof SourceError);
    }
  });
  t.notThrows(() => fc.assert(property));
});

test('a batch is split into its objects, whatever they hold', (t) => {
  const property = fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }), (blobs) => {
    const parts = blobs.map((blob) =>
      Buffer.concat([Buffer.from(`${OBJECT} blob ${blob.length}\n`), blob, Buffer.from('\n')]),
    );
    const output = Buffer.concat(parts);
    const objects = blobs.map(() => OBJECT);
    assert.deepEqual(
      parseBatch(output, objects).map((blob) => [...blob]),
      blobs.map((blob) => [...blob]),
    );
    if (blobs.length > 0) assert.throws(() => parseBatch(output.subarray(0, -1), objects), SourceError);
  });
  t.notThrows(() => fc.assert(property));
});

test('an object that git does not have is an error', (t) => {
  t.throws(() => parseBatch(Buffer.from(`${OBJECT} missing\n`), [OBJECT]), { instanceOf: SourceError });
});
