import test from 'ava';

import { formatManifestError, formatManifestErrors } from '../../src/spec/format-error.ts';
import { errorInText, ManifestError } from '../../src/spec/manifest-error.ts';
import { sourceText } from '../../src/spec/yaml/source-text.ts';

function format(text: string, part: string, confidential = false): string {
  const source = sourceText('web.yaml', text);
  const start = text.indexOf(part);
  const span = { start, end: start + part.length };
  return formatManifestError(errorInText(source, { span, path: 'spec.x', confidential }, 'Unknown field'));
}

test('the place, the path and the message come first, then the line with carets below the part', (t) => {
  t.is(
    format('spec:\n      imagee: nginx\n', 'imagee'),
    'web.yaml:2:7: spec.x: Unknown field\n      imagee: nginx\n      ^^^^^^',
  );
});

test('a part of several lines is underlined to the end of its first line', (t) => {
  t.is(format('a: [1,  \n 2]\n', '[1,  \n 2]').split('\n')[2], '   ^^^');
});

test('tabs keep the carets below their part', (t) => {
  t.is(format('\ta:\tb\n', 'b'), 'web.yaml:1:5: spec.x: Unknown field\n\ta:\tb\n\t  \t^');
});

test('characters outside the basic plane count as one caret', (t) => {
  t.is(format('💡💡: 1\n', '💡💡').split('\n')[2], '^^');
});

test('a long line is cut around the part', (t) => {
  const [, line = '', carets = ''] = format(`${'x'.repeat(1000)}HERE${'y'.repeat(1000)}`, 'HERE').split('\n');
  t.is(line.length, 160);
  t.is(line.slice(carets.indexOf('^'), carets.length), 'HERE');
});

test('a confidential line is not shown', (t) => {
  t.is(format('password: hunter2\n', 'hunter2', true), 'web.yaml:1:11: spec.x: Unknown field');
});

test('an error without path and line is one line', (t) => {
  const error = new ManifestError({ file: 'a.yaml', line: 1, column: 1, path: '' }, 'The file is too large');
  t.is(formatManifestError(error), 'a.yaml:1:1: The file is too large');
  t.is(formatManifestErrors([error, error]), 'a.yaml:1:1: The file is too large\n'.repeat(2));
  t.is(formatManifestErrors([]), '');
});

test('nothing of a manifest drives the terminal', (t) => {
  const error = new ManifestError(
    {
      file: 'a\u001b.yaml',
      line: 1,
      column: 1,
      path: 'a\u009b',
      excerpt: { line: '\u001b[2J\u202e', start: 0, width: 1 },
    },
    'Unknown \u0007',
  );
  t.is(formatManifestError(error), 'a?.yaml:1:1: a?: Unknown ?\n?[2J?\n^');
});
