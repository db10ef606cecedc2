import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';
import { loadAll } from 'js-yaml';

import { formatPath, placeOf } from '../../src/spec/document.ts';
import { formatManifestErrors } from '../../src/spec/format-error.ts';
import { loadManifests } from '../../src/spec/load.ts';
import { ManifestError } from '../../src/spec/manifest-error.ts';
import { readManifests } from '../../src/spec/read-manifests.ts';
import { goldenManifests } from './golden-manifests.ts';

function values(text: string): readonly unknown[] {
  const { documents, errors } = readManifests({ path: 'x.yaml', text });
  assert.deepEqual(errors, []);
  return plain(documents.map(({ value }) => value)) as readonly unknown[];
}

function messages(text: string): readonly string[] {
  const { documents, errors } = readManifests({ path: 'x.yaml', text });
  assert.deepEqual(documents, []);
  return errors.map(({ message }) => message);
}

/** With ordinary objects and numbers, to compare with. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, child: unknown) => (typeof child === 'bigint' ? Number(child) : child)),
  );
}

for (const file of goldenManifests('valid')) {
  test(`two YAML parsers agree on ${file.path}`, (t) => {
    const expected = loadAll(file.text).filter((document) => document !== null && document !== undefined);
    t.deepEqual(values(file.text), plain(expected) as readonly unknown[]);
  });
}

test('any JSON document is read as JSON.parse reads it', (t) => {
  const json = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('"__proto__"')),
  );
  const property = fc.property(json, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    const { documents, errors } = readManifests({ path: 'x.json', text });
    assert.equal(formatManifestErrors(errors), '');
    assert.deepEqual(plain(documents[0]?.value), JSON.parse(text));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

const YAML_PIECES = fc.constantFrom(
  ...'a|b: |- |? |: |[|]|{|}|,|"|\'|#|&a |*a|!t |!!str |<<: |>-\n|---\n|...\n|%YAML 1.2\n|~|0x1|01|.inf'.split('|'),
  ...'|\n|\n|\n  |\n    |\t|\r\n|\u2028|\ud800|💡|__proto__: |\\u'.split('|'),
  ...'apiVersion: v1\n|kind: Pod\n|kind: Secret\n|metadata: |spec:\n|data: |containers:\n'.split('|'),
);

test('whatever the text, there is a model or there are ManifestErrors with a place in the text', (t) => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(YAML_PIECES, { maxLength: 60 }).map((pieces) => pieces.join('')),
  );
  const property = fc.property(texts, (text) => {
    const loaded = loadManifests([{ path: 'x.yaml', text }]);
    if ('desired' in loaded) return;
    assert(loaded.errors.length > 0);
    const lines = text.split('\n').length;
    for (const error of loaded.errors) {
      assert(error instanceof ManifestError);
      assert(error.line >= 1 && error.line <= lines && error.column >= 1, `${error.line}:${error.column}`);
    }
    formatManifestErrors(loaded.errors);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1500 }));
});

const GOOD = goldenManifests('valid').map(({ text }) => text);

test('a valid manifest with a few characters changed makes a model or ManifestErrors', (t) => {
  const edit = fc.record({
    text: fc.constantFrom(...GOOD),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat({ max: 8 }),
    insert: fc.oneof(YAML_PIECES, fc.string({ maxLength: 3 })),
  });
  const property = fc.property(edit, ({ text, at, remove, insert }) => {
    const offset = Math.floor(at * text.length);
    const changed = text.slice(0, offset) + insert + text.slice(offset + remove);
    const loaded = loadManifests([{ path: 'x.yaml', text: changed }]);
    assert('desired' in loaded || loaded.errors.every((error) => error instanceof ManifestError));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test('a position leads to the very text of the value', (t) => {
  const text = 'a:\n  - b: one\n    "c d": [x, yes]\n---\nz: !!str 5\n';
  const { documents } = readManifests({ path: 'x.yaml', text });
  const [first, second] = documents;
  assert(first !== undefined && second !== undefined);
  t.deepEqual(placeOf(first, ['a', 0, 'b']), { file: 'x.yaml', line: 2, column: 8 });
  t.deepEqual(placeOf(first, ['a', 0, 'c d', 1]), { file: 'x.yaml', line: 3, column: 16 });
  t.deepEqual(placeOf(second, []), { file: 'x.yaml', line: 5, column: 1 });
});

test('a path is written as people write it', (t) => {
  t.is(formatPath([]), '');
  t.is(formatPath(['spec', 'containers', 0, 'image']), 'spec.containers[0].image');
  t.is(formatPath(['metadata', 'labels', 'a.b/c']), "metadata.labels['a.b/c']");
});

test('objects have no prototype to pollute', (t) => {
  const { documents } = readManifests({ path: 'x.yaml', text: 'constructor: { prototype: { polluted: true } }\n' });
  t.is(Object.getPrototypeOf(documents[0]?.value), null);
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
});

test('scalars follow the core schema of YAML 1.2', (t) => {
  t.deepEqual(values('{ a: yes, b: true, c: ~, d: null, e: 0o17, f: 0x1f, g: 1e3, h: 2001-01-01, i: 1_000, j: "1" }'), [
    { a: 'yes', b: true, c: null, d: null, e: 15, f: 31, g: 1000, h: '2001-01-01', i: '1_000', j: '1' },
  ]);
});

test('an integer beyond 2^53 keeps all of its digits', (t) => {
  const { documents } = readManifests({ path: 'x.yaml', text: 'a: 9007199254740993\nb: -9007199254740993\n' });
  t.deepEqual(Object.entries(documents[0]?.value ?? {}), [
    ['a', 9_007_199_254_740_993n],
    ['b', -9_007_199_254_740_993n],
  ]);
});

const refuses = test.macro({
  title: (title, _text: string, _message: RegExp) => `refused quickly: ${title ?? ''}`,
  exec: (t, text: string, message: RegExp) => {
    const [first, ...others] = messages(text);
    t.regex(first ?? '', message);
    t.true(others.length <= 500);
  },
});

const LETTERS = 'abcdefghij'.split('');
const LAUGHS = LETTERS.map(
  (name, index) =>
    `${name}: &${name} [${Array(9)
      .fill(index === 0 ? 'x' : `*${LETTERS[index - 1]}`)
      .join(', ')}]\n`,
);

test('billion laughs', refuses, LAUGHS.join(''), /The aliases stand for too much/);
test('an alias inside its own anchor', refuses, 'a: &a { b: *a }', /no complete anchor before it/);
test('many aliases', refuses, `a: &a 1\nb: [${'*a, '.repeat(101)}]`, /Too many aliases/);
test('flow lists nested without end', refuses, '['.repeat(1_000_000), /Too deep/);
test('flow mappings nested without end', refuses, '{a: '.repeat(250_000), /Too deep/);
test('block lists nested without end', refuses, '- '.repeat(500_000), /Too deep/);
test('explicit keys nested without end', refuses, '? '.repeat(500_000), /Too deep/);
test('65 levels', refuses, `${'['.repeat(65)}${']'.repeat(65)}`, /Too deep/);
test('a file beyond 4 MiB', refuses, `# ${'x'.repeat(4 * 1024 * 1024)}`, /The file is too large/);
test('a document beyond 1 MiB', refuses, `a: ${'x'.repeat(1024 * 1024)}`, /The document is too large/);
test('a document beyond 1 MiB in bytes', refuses, `a: ${'é'.repeat(600 * 1024)}`, /The document is too large/);
test('nothing but closing brackets', refuses, ']'.repeat(450_000), /too complex/);
test('nothing but commas', refuses, `[${','.repeat(20_000)}]`, /./);
test('nothing but anchors', refuses, '&a '.repeat(20_000), /./);
test('more tokens than any manifest has', refuses, '- a\n'.repeat(200_000), /too complex/);
test('a million digits', refuses, `a: ${'9'.repeat(1_000_000)}`, /The number is too long/);

test('64 levels, 100 aliases and 50000 different keys are taken', (t) => {
  t.notThrows(() => values(`${'['.repeat(64)}${']'.repeat(64)}`));
  t.notThrows(() => values(`a: &a 1\nb: [${'*a, '.repeat(100)}]`));
  const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1\n`).join('');
  t.is(Object.keys(values(keys)[0] ?? {}).length, 50_000);
});

test('several documents of 1 MiB fit into one file', (t) => {
  const document = `a: ${'x'.repeat(1024 * 1024 - 100)}\n`;
  t.is(values([document, document, document].join('---\n')).length, 3);
});

test('a broken document does not hide the others', (t) => {
  const { documents, errors } = readManifests({ path: 'x.yaml', text: 'a: 1\n---\na: b: c\n---\nz: 3\n' });
  t.deepEqual(plain(documents.map(({ value }) => value)), [{ a: 1 }, { z: 3 }]);
  t.is(errors[0]?.line, 3);
});
