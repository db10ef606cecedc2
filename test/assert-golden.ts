// Golden files: text under test/golden that reviews read. UPDATE_GOLDEN=1 writes them instead of comparing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

/** Assert that `actual` is the content of test/golden/`name`. */
export function assertGolden(t: ExecutionContext, name: string, actual: string): void {
  const path = fileURLToPath(new URL(`golden/${name}`, import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  t.is(actual, readFileSync(path, 'utf8'), `test/golden/${name} differs; UPDATE_GOLDEN=1 rewrites it`);
}
