import { readFileSync, writeFileSync, writeSync } from 'node:fs';

import test from 'ava';

import { sealedExecutable } from '../../src/linux/memfd.ts';

test('an executable in memory cannot be changed by anybody (SEC-1)', (t) => {
  using fd = sealedExecutable('probe', Buffer.from('content'));
  const path = `/proc/self/fd/${fd.number}`;
  t.is(readFileSync(path, 'utf8'), 'content');
  t.throws(() => writeSync(fd.number, 'x', 0), { code: 'EPERM' });
  t.throws(() => writeFileSync(path, 'other'), { code: 'EPERM' });
  t.is(readFileSync(path, 'utf8'), 'content');
});
