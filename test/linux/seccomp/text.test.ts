import test from 'ava';

import { compileSeccomp } from '../../../src/linux/seccomp/compile.ts';
import { seccompFlags, seccompResult } from '../../../src/linux/seccomp/profile.ts';
import { formatFilter, formatResult } from '../../../src/linux/seccomp/text.ts';
import { assertGolden } from '../../assert-golden.ts';

test('a small filter reads as its golden file says', (t) => {
  const program = compileSeccomp(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86'],
      syscalls: [
        { names: ['read', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW' },
        { names: ['kill'], action: 'SCMP_ACT_TRACE', errnoRet: 7 },
        {
          names: ['ioctl'],
          action: 'SCMP_ACT_ALLOW',
          args: [
            { index: 0, op: 'SCMP_CMP_LE', value: 2 },
            { index: 1, op: 'SCMP_CMP_MASKED_EQ', value: 0xff00, valueTwo: 0x5400 },
          ],
        },
      ],
    },
    'x64',
  );
  assertGolden(t, 'seccomp/small.txt', formatFilter(program));
});

test('results print as their action, with the errno by name', (t) => {
  t.is(formatResult(seccompResult('SCMP_ACT_ERRNO')), 'ERRNO(EPERM)');
  t.is(formatResult(seccompResult('SCMP_ACT_TRACE', 7)), 'TRACE(7)');
  t.is(formatResult(seccompResult('SCMP_ACT_KILL')), 'KILL_THREAD');
  t.is(formatResult(seccompResult('SCMP_ACT_KILL_PROCESS')), 'KILL_PROCESS');
  t.is(formatResult(0x12340000), '0x12340000');
});

test('flags are bits by name', (t) => {
  t.is(seccompFlags(['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW']), 6);
  t.is(seccompFlags(), 0);
  t.throws(() => seccompFlags(['SECCOMP_FLAG']), { message: "Unknown seccomp flag 'SECCOMP_FLAG'" });
});
