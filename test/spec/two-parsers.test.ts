// What berth reads of a text, js-yaml reads as well: a manifest means the same to the tools that wrote and checked it.
import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';
import { CORE_SCHEMA, loadAll } from 'js-yaml';

import { readManifests } from '../../src/spec/read-manifests.ts';

const SCALARS = fc.constantFrom(
  ...'a|b c|1|01|0x1f|1e3|-0|.5|1.|true|True|yes|no|on|null|~|""|\'\'|"x\\ny"|"\\u00e9"|\'it\'\'s\'|# no|x #no|2001-01-01'.split(
    '|',
  ),
  ...'*a|&a 1|&b x|[]|{}|[1, 2]|[a, ]|{a: 1}|{a: 1, b: [x]}|"a": 1|1:2|a:b|- a|? a|=|<<|!!str 1|@|%|`'.split('|'),
  '|\n    text\n    more\n',
  '>-\n    folded\n    text\n\n    more\n',
  '|2+\n    kept\n\n',
);
const KEYS = fc.constantFrom('a', 'b', 'c', '"a"', "'d'", '1', 'true', 'x y', '? e\n', '<<', '');
const INDENTS = fc.constantFrom('', '', '', '  ', '  ', '    ');
const LINES = fc.oneof(
  fc.tuple(INDENTS, KEYS, fc.constantFrom(': ', ':\n  ', ':', ' : '), SCALARS).map((parts) => parts.join('')),
  fc.tuple(INDENTS, fc.constantFrom('- ', '-  ', '- - ', '- a: '), SCALARS).map((parts) => parts.join('')),
  fc.constantFrom('---', '...', '# comment', '', '%YAML 1.2'),
);

test('where berth and js-yaml both take a text, they read the same values', (t) => {
  let compared = 0;
  const property = fc.property(fc.array(LINES, { minLength: 1, maxLength: 6 }), (lines) => {
    const text = `${lines.join('\n')}\n`;
    const { documents, errors } = readManifests({ path: 'x.yaml', text });
    const other = read(text);
    if (errors.length > 0 || other === undefined) return;
    assert.deepEqual(plain(documents.map(({ value }) => value)), plain(other), text);
    compared += documents.length > 0 ? 1 : 0;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
  t.true(compared > 100, `${compared} texts were compared`);
});

/** Undefined when it is refused. Documents that are nothing are left out, as berth does. */
function read(text: string): readonly unknown[] | undefined {
  try {
    return loadAll(text, { schema: CORE_SCHEMA }).filter((document) => document !== null && document !== undefined);
  } catch {
    return undefined;
  }
}

function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, child: unknown) => (typeof child === 'bigint' ? Number(child) : child));
  return JSON.parse(text);
}
