import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { expandVariables } from '../../src/spec/expand-variables.ts';

const VARIABLES = new Map([
  ['A', 'apple'],
  ['EMPTY', ''],
  ['DOLLAR', '$(A)'],
  ['A.b-c', 'odd'],
]);

const expands = test.macro({
  title: (_title, text: string, expected: string) => `'${text}' becomes '${expected}'`,
  exec: (t, text: string, expected: string) => t.is(expandVariables(text, VARIABLES), expected),
});

test(expands, '', '');
test(expands, 'plain', 'plain');
test(expands, '$(A)', 'apple');
test(expands, 'x$(A)y$(A)z', 'xappleyapplez');
test(expands, '$(EMPTY)', '');
test(expands, '$(A.b-c)', 'odd');
test(expands, '$(NONE)', '$(NONE)');
test(expands, '$()', '$()');
test(expands, '$$(A)', '$(A)');
test(expands, '$$$(A)', '$apple');
test(expands, '$$$$(A)', '$$(A)');
test(expands, '$A', '$A');
test(expands, '$', '$');
test(expands, '$$', '$');
test(expands, 'a$', 'a$');
test(expands, '$(A', '$(A');
test(expands, '$(A$$', '$(A$');
test(expands, '$($(A)', '$($(A)');
test(expands, '$(A))', 'apple)');
// A value is not expanded a second time.
test(expands, '$(DOLLAR)', '$(A)');

/** The algorithm of Kubernetes, one character at a time, to compare with. */
function slowly(text: string): string {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at + 1);
    if (text[at] !== '$' || rest === '') result += text[at] ?? '';
    else if (rest.startsWith('(') && rest.includes(')')) {
      const name = rest.slice(1, rest.indexOf(')'));
      result += VARIABLES.get(name) ?? `$(${name})`;
      at += rest.indexOf(')') + 1;
    } else {
      result += rest.startsWith('$') ? '$' : `$${rest[0] ?? ''}`;
      at++;
    }
  }
  return result;
}

test('expansion agrees with the algorithm of Kubernetes on any text', (t) => {
  const pieces = fc.array(fc.constantFrom('$', '(', ')', 'A', 'EMPTY', 'x', '$(A)', '$$'), { maxLength: 30 });
  const property = fc.property(pieces, (parts) => {
    const text = parts.join('');
    assert.equal(expandVariables(text, VARIABLES), slowly(text));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});
