import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { nearestName } from '../../src/spec/nearest-name.ts';

const FIELDS = ['image', 'imagePullPolicy', 'command', 'args', 'env', 'envFrom', 'ports', 'volumeMounts'];

const suggests = test.macro({
  title: (_title, name: string, guess: string | undefined) => `'${name}' is taken for ${guess ?? 'nothing'}`,
  exec: (t, name: string, guess: string | undefined) => t.is(nearestName(name, FIELDS), guess),
});

test(suggests, 'imagee', 'image');
test(suggests, 'imgae', 'image');
test(suggests, 'IMAGE', 'image');
test(suggests, 'imagePullPolcy', 'imagePullPolicy');
test(suggests, 'imagepullpolicy', 'imagePullPolicy');
test(suggests, 'volumeMount', 'volumeMounts');
test(suggests, 'evn', 'env');
test(suggests, 'en', 'env');
test(suggests, 'x', undefined);
test(suggests, '', undefined);
test(suggests, 'frobnicate', undefined);
test(suggests, 'entrypoint', undefined);

test('one slip in a name of three letters or more is always forgiven', (t) => {
  const property = fc.property(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), minLength: 3, maxLength: 12 }),
    fc.nat(),
    fc.constantFrom('drop', 'add', 'change', 'swap'),
    (name, seed, slip) => {
      const at = seed % name.length;
      const [before, letter, after] = [name.slice(0, at), name[at] ?? '', name.slice(at + 1)];
      const wrong = {
        drop: before + after,
        add: `${before}x${letter}${after}`,
        change: `${before}x${after}`,
        swap: before + after.slice(0, 1) + letter + after.slice(1),
      }[slip];
      assert.equal(nearestName(wrong, ['zzzzzzzzzzzz', name]), name);
    },
  );
  t.notThrows(() => fc.assert(property));
});
