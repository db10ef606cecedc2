import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { containerDirectory, isContainerId } from '../../../src/oci/runtime/record.ts';

for (const id of ['', '.', '..', '../x', 'a/b', '/', 'a b', '.hidden', 'a\0', 'ä', 'a\n', 'x'.repeat(1025)]) {
  test(`${JSON.stringify(id.slice(0, 20))} is no container id (SEC-18)`, (t) => {
    t.false(isContainerId(id));
  });
}

test('ids as engines make them are container ids', (t) => {
  for (const id of ['web', 'a.b', '_x', '+1', '-1', 'A-Z_0.9', 'f'.repeat(64)]) t.true(isContainerId(id), id);
});

test('the directory of an id is right below all containers', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '_', '-', ' ', '\n', '\0') }), (id) => {
        if (isContainerId(id)) assert.match(containerDirectory('/s', id), /^\/s\/containers\/[^/]+$/);
      }),
    ),
  );
});
