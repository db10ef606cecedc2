// docs/errors.md is a promise: it and the sources must name the same codes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { classify } from '../../src/reconcile/classify.ts';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** Codes of the unions named `…ErrorCode`, and of errors that have exactly one. */
function codesOf(text: string): string[] {
  const unions = [...text.matchAll(/export type \w*ErrorCode =([^;]*);/g)].map(([, body = '']) => body);
  const listed = unions.flatMap((body) => [...body.matchAll(/\|\s*'([A-Z_]+)'/g)]);
  const single = [...text.matchAll(/readonly code = '([A-Z_]+)'/g)];
  return [...listed, ...single].map(([, code = '']) => code);
}

const CODES = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) => codesOf(readFileSync(join(SOURCES, path), 'utf8')));

const ROWS = [...PAGE.matchAll(/^\| `([A-Z_]+)` .*$/gm)].map(([row, code = '']) => ({ row, code }));

test('the page explains every code that an error can have, and no other', (t) => {
  t.true(CODES.length > 40, 'the sources were searched');
  t.deepEqual(ROWS.map(({ code }) => code).sort(), [...CODES].sort());
});

test('the page says what the agent does about a code as the agent does it', (t) => {
  const judged = ROWS.flatMap(({ row, code }) => {
    const said = /\| (retry|wait|stalled) +\|$/.exec(row)?.[1];
    return said === undefined ? [] : [{ code, said }];
  });
  t.true(judged.length > 30);
  for (const { code, said } of judged) {
    const judgement: string = classify(Object.assign(new Error('x'), { code }));
    t.is(judgement, said, code);
  }
});

test('every code has a meaning and something to do', (t) => {
  for (const { row, code } of ROWS) {
    const [, , meaning = '', advice = ''] = row.split('|').map((cell) => cell.trim());
    t.true(meaning.length > 10 && advice.length > 3, code);
  }
});
