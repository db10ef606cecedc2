import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import * as fc from 'fast-check';

import { formatKept, keptFilter, parseKept } from '../../../src/oci/runtime/kept-filter.ts';

test('what is kept is found for its profile, and for no other', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.uint8Array(), (profile, other, bytes) => {
      const kept = formatKept(profile, Buffer.from(bytes));
      t.deepEqual(parseKept(kept, profile), Buffer.from(bytes));
      if (other !== profile) t.is(parseKept(kept, other), undefined);
    }),
  );
});

test('what was cut short, or is something else, is not taken', (t) => {
  const kept = formatKept('{}', Buffer.alloc(16, 1));
  for (let length = 0; length < kept.length; length++) t.is(parseKept(kept.subarray(0, length), '{}'), undefined);
  t.is(parseKept(Buffer.concat([kept, Buffer.from('x')]), '{}'), undefined);
});

test('a filter is compiled once, and again where the file is of no use', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-test-filter-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'seccomp');
  let compiled = 0;
  const get = (profile: string): Buffer =>
    keptFilter(file, profile, () => {
      compiled += 1;
      return Buffer.from(profile);
    });
  t.deepEqual([get('a'), get('a')].map(String), ['a', 'a']);
  t.is(compiled, 1);
  t.is(String(get('b')), 'b');
  t.is(compiled, 2);
  writeFileSync(file, 'other');
  t.is(String(get('a')), 'a');
  t.is(compiled, 3);
});
