import assert from 'node:assert/strict';
import { posix } from 'node:path';

import test from 'ava';
import * as fc from 'fast-check';

import { isOciError } from '../../../src/oci/error.ts';
import { baseName, entryPath, parentPath, printableName } from '../../../src/oci/image/entry-path.ts';

const component = fc.oneof(fc.constantFrom('', '.', '..', 'a', '.a', '..a', '...', 'b'), fc.string({ maxLength: 6 }));
const name = fc.array(component, { maxLength: 6 }).map((components) => components.join('/'));

test('a name either stays below the root, in normal form, or is refused as unsafe', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(name, (each) => {
        try {
          const path = entryPath(each);
          assert.equal(posix.join('/root', path), path === '' ? '/root' : `/root/${path}`);
          assert(!path.split('/').some((part) => part === '..' || part === '.'));
          assert(!path.includes('\0'));
          assert.equal(entryPath(path), path);
        } catch (error) {
          assert(isOciError(error, 'UNSAFE_PATH'), String(error));
          assert(each.split('/').includes('..') || each.includes('\0'));
        }
      }),
      { numRuns: 1000 },
    ),
  );
});

for (const [given, path] of [
  ['usr/bin/env', 'usr/bin/env'],
  ['./usr/bin/', 'usr/bin'],
  ['/etc/passwd', 'etc/passwd'],
  ['//etc///passwd', 'etc/passwd'],
  ['.', ''],
  ['./', ''],
  ['/', ''],
  ['', ''],
  ['...', '...'],
  ['a/..b/.c', 'a/..b/.c'],
] as const) {
  test(`${JSON.stringify(given)} is ${JSON.stringify(path)} below the root`, (t) => {
    t.is(entryPath(given), path);
  });
}

for (const bad of ['..', '../x', 'a/../b', '/..', 'a/..', 'x\0y', `a/${'b'.repeat(256)}`]) {
  test(`${printableName(bad).slice(0, 30)} is refused`, (t) => {
    t.throws(() => entryPath(bad), { code: 'UNSAFE_PATH' });
  });
}

test('a path is its parent and its base', (t) => {
  t.deepEqual([parentPath('a/b/c'), baseName('a/b/c')], ['a/b', 'c']);
  t.deepEqual([parentPath('a'), baseName('a')], ['', 'a']);
});

test('a printed name is one line of printable characters, whatever is in it', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const printed = printableName(Buffer.from(bytes).toString('latin1'));
        assert.doesNotMatch(printed, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    ),
  );
  t.is(printableName('n\xc3\xa4me'), '"näme"');
});
