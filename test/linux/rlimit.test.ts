import test from 'ava';

import { getRlimit, RLIM_INFINITY, rlimitBytes, rlimitNumber, rlimitValue, setRlimit } from '../../src/linux/rlimit.ts';

test('limits have the numbers of the kernel header', (t) => {
  t.is(rlimitNumber('RLIMIT_CPU'), 0);
  t.is(rlimitNumber('RLIMIT_NOFILE'), 7);
  t.is(rlimitNumber('RLIMIT_RTTIME'), 15);
  t.throws(() => rlimitNumber('NOFILE'), { message: "Unknown resource limit 'NOFILE'" });
});

test('no limit is -1, 2^64-1, and what JSON makes of it', (t) => {
  t.is(rlimitValue(-1), RLIM_INFINITY);
  t.is(rlimitValue(18446744073709551615n), RLIM_INFINITY);
  t.is(rlimitValue(Number('18446744073709551615')), RLIM_INFINITY);
  t.is(rlimitValue(1024), 1024n);
  t.throws(() => rlimitValue(-2), { message: 'A resource limit is not negative, but this is -2' });
  t.throws(() => rlimitValue(1.5), { message: 'A resource limit is a whole number, not 1.5' });
});

test('struct rlimit64 is soft, then hard', (t) => {
  t.is(rlimitBytes({ soft: 1n, hard: RLIM_INFINITY }).toString('hex'), '0100000000000000ffffffffffffffff');
});

test('a soft limit can be lowered and read back', (t) => {
  const before = getRlimit('RLIMIT_CORE');
  setRlimit('RLIMIT_CORE', { soft: 0n, hard: before.hard });
  t.deepEqual(getRlimit('RLIMIT_CORE'), { soft: 0n, hard: before.hard });
  setRlimit('RLIMIT_CORE', before);
  t.deepEqual(getRlimit('RLIMIT_CORE'), before);
});

test('a refused limit names the call, the limit and the errno', (t) => {
  t.throws(() => setRlimit('RLIMIT_CORE', { soft: 2n, hard: 1n }), {
    message: 'prlimit(0, RLIMIT_CORE, soft 2, hard 1): EINVAL',
  });
});
