import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { MUTANTS } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('the edit of every weakened build fits the sources', (t) => {
  const stale = MUTANTS.filter(({ file, before }) => read(file).split(before).length !== 2);
  t.deepEqual(
    stale.map(({ requirement, file, before }) => `${requirement} ${file}: ${before}`),
    [],
  );
});

test('the test of every weakened build is there', (t) => {
  // Parts of a title may be computed: then the longest part that is not stands in the file.
  const missing = MUTANTS.filter(({ test: file, title }) => !read(file).includes(title.replace(/^\/proc/, '')));
  t.deepEqual(
    missing.map(({ requirement, title }) => `${requirement} ${title}`),
    [],
  );
});

test('every requirement of the runtime has a weakened build, and a row in docs/security.md', (t) => {
  const document = read('docs/security.md');
  for (let number = 1; number <= 19; number++) {
    const requirement = `SEC-${number}`;
    t.true(
      MUTANTS.some((mutant) => mutant.requirement === requirement),
      requirement,
    );
    t.true(document.includes(`| ${requirement} `), requirement);
  }
});
