import { execFileSync } from 'node:child_process';

import test from 'ava';

import { CAPABILITIES } from '../../src/linux/capability.ts';
import { dumpable, inBoundingSet } from '../../src/linux/prctl.ts';

test('a process can make itself non-dumpable', (t) => {
  t.not(dumpable(), 0);
  const module = new URL('../../src/linux/prctl.ts', import.meta.url).href;
  const script = `const { forbidDumps, dumpable } = await import('${module}'); forbidDumps(); process.stdout.write(String(dumpable()));`;
  t.is(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }), '0');
});

test('the bounding set is asked by number', (t) => {
  t.is(typeof inBoundingSet(0), 'boolean');
  t.throws(() => inBoundingSet(CAPABILITIES.length + 20), { message: 'prctl(PR_CAPBSET_READ, 61): EINVAL' });
});
