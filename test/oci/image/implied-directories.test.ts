import test from 'ava';

import { impliedCopies, type NodeLookup } from '../../../src/oci/image/implied-directories.ts';

/** Layers as lists of paths: `d/` a directory, `d!` an opaque one, `f` anything else. Uppermost first. */
function lookupIn(...layers: readonly (readonly string[])[]): NodeLookup {
  return (layer, path) => {
    const paths = layers[layer] ?? [];
    if (paths.includes(`${path}/`)) return 'directory';
    if (paths.includes(`${path}!`)) return 'opaque';
    return paths.includes(path) ? 'other' : 'missing';
  };
}

test('an implied directory gets the attributes of the layer that describes it, and so do those above it', (t) => {
  const lookup = lookupIn(['var/', 'var/tmp/'], ['var/'], ['var/', 'var/tmp/']);
  t.deepEqual(impliedCopies([['var', 'var/tmp'], ['var'], []], lookup), [
    { path: 'var', layer: 2 },
    { path: 'var/tmp', layer: 2 },
  ]);
});

test('a parent that needs no copy itself is copied from where it is', (t) => {
  const lookup = lookupIn(['a/', 'a/b/'], ['a/', 'a/b/']);
  t.deepEqual(impliedCopies([['a/b'], []], lookup), [
    { path: 'a', layer: 0 },
    { path: 'a/b', layer: 1 },
  ]);
});

test('nothing is copied when an upper layer describes the directory, or no lower one does', (t) => {
  t.deepEqual(impliedCopies([[], ['a'], []], lookupIn(['a/'], ['a/'], ['a/'])), []);
  t.deepEqual(impliedCopies([['a'], ['a']], lookupIn(['a/'], ['a/'])), []);
  t.deepEqual(impliedCopies([['']], lookupIn([])), []);
});

for (const [what, upper] of [
  ['opaque', ['a!']],
  ['below an opaque one', ['x!', 'x/a/']],
] as const) {
  test(`a directory that is ${what} owes nothing to the layers below`, (t) => {
    const path = what === 'opaque' ? 'a' : 'x/a';
    const lookup = lookupIn(upper, ['a/', 'x/', 'x/a/']);
    t.deepEqual(impliedCopies([[path], []], lookup), []);
  });
}

test('a file or a whiteout in between hides what is below', (t) => {
  t.deepEqual(impliedCopies([['a'], [], []], lookupIn(['a/'], ['a'], ['a/'])), []);
});
