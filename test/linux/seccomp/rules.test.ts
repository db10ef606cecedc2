import test from 'ava';

import { type SeccompArgument, type SeccompRule, seccompResult } from '../../../src/linux/seccomp/profile.ts';
import { alternativesByCall } from '../../../src/linux/seccomp/rules.ts';
import { formatResult } from '../../../src/linux/seccomp/text.ts';
import type { SyscallAbi } from '../../../src/linux/syscall-numbers.ts';

type Terse = readonly [
  action: 'ALLOW' | 'KILL' | number,
  ...args: (readonly [index: number, op: string, value: number, two?: number])[],
];

function rule([action, ...args]: Terse): SeccompRule {
  const conditions = args.map(([index, op, value, valueTwo = 0]) => ({ index, op: `SCMP_CMP_${op}`, value, valueTwo }));
  const result: Partial<SeccompRule> =
    typeof action === 'number' ? { action: 'SCMP_ACT_ERRNO', errnoRet: action } : { action: `SCMP_ACT_${action}` };
  return { names: ['read'], ...result, args: conditions as SeccompArgument[] } as SeccompRule;
}

/** What is tried for read, in order: `conditions → result`. */
function tried(rules: readonly Terse[], abi: SyscallAbi = 'x64'): string[] {
  const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules.map(rule) } as const;
  const [alternatives = []] = alternativesByCall(profile, abi).values();
  return alternatives.map(({ conditions, result }) => {
    const shown = conditions.map(({ index, op, value, valueTwo }) => {
      const mask = op === 'SCMP_CMP_MASKED_EQ' ? `&0x${value.toString(16)}=` : `${op.slice(9)} `;
      return `${index} ${mask}${op === 'SCMP_CMP_MASKED_EQ' ? valueTwo : value}`;
    });
    return `${shown.join(', ')} → ${formatResult(result)}`;
  });
}

test('a rule without conditions settles a call, wherever it stands', (t) => {
  t.deepEqual(tried([['KILL', [0, 'EQ', 1]], ['ALLOW'], [2]]), [' → ALLOW']);
  t.deepEqual(tried([['ALLOW'], ['KILL']]), [' → ALLOW']);
});

test('a rule that says what the default says anyway is none', (t) => {
  t.deepEqual(tried([[1], ['ALLOW', [0, 'EQ', 1]]]), ['0 EQ 1 → ALLOW']);
  t.deepEqual(
    tried([
      [1, [0, 'EQ', 2]],
      [2, [0, 'EQ', 2]],
    ]),
    ['0 EQ 2 → ERRNO(ENOENT)'],
  );
  const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [rule([1])] } as const;
  t.deepEqual([...alternativesByCall(profile, 'x64')], [[0, []]]);
});

test('the rule with fewer conditions includes one that begins alike', (t) => {
  t.deepEqual(
    tried([
      ['KILL', [0, 'EQ', 1], [1, 'EQ', 2]],
      ['ALLOW', [0, 'EQ', 1]],
    ]),
    ['0 EQ 1 → ALLOW'],
  );
  t.deepEqual(
    tried([
      ['ALLOW', [0, 'EQ', 1]],
      [5, [2, 'LT', 3], [0, 'EQ', 1]],
    ]),
    ['0 EQ 1 → ALLOW'],
  );
});

test('what is left is tried in an order of its own', (t) => {
  const rules: Terse[] = [
    [2, [0, 'GE', 10]],
    [3, [0, 'LT', 100]],
    [4, [0, 'LE', 5]],
    [5, [0, 'EQ', 3]],
    [6, [2, 'NE', 0]],
    [7, [0, 'GT', 20]],
    [8, [0, 'EQ', 4]],
  ];
  const order = [
    '2 NE 0 → ERRNO(ENXIO)',
    '0 EQ 4 → ERRNO(ENOEXEC)',
    '0 EQ 3 → ERRNO(EIO)',
    '0 LE 5 → ERRNO(EINTR)',
    '0 LT 100 → ERRNO(ESRCH)',
    '0 GT 20 → ERRNO(E2BIG)',
    '0 GE 10 → ERRNO(ENOENT)',
  ];
  t.deepEqual(tried(rules), order);
  t.deepEqual(tried(rules.toReversed()), order);
});

test('a rule that names one argument twice is one rule for each', (t) => {
  t.deepEqual(tried([['ALLOW', [0, 'EQ', 1], [0, 'EQ', 2]]]), ['0 EQ 2 → ALLOW', '0 EQ 1 → ALLOW']);
});

test('a mask of nothing is no condition, and bits outside a mask do not count', (t) => {
  t.deepEqual(tried([['ALLOW', [0, 'MASKED_EQ', 0, 7]]]), [' → ALLOW']);
  t.deepEqual(tried([['ALLOW', [0, 'MASKED_EQ', 6, 7]]]), ['0 &0x6=6 → ALLOW']);
});

test('where arguments have 32 bits, values have no more', (t) => {
  const minusOne: Terse = ['ALLOW', [0, 'EQ', Number('18446744073709551615')]];
  t.deepEqual(tried([minusOne]), ['0 EQ 18446744073709551615 → ALLOW']);
  t.deepEqual(tried([minusOne], 'ia32'), ['0 EQ 4294967295 → ALLOW']);
});

test('two actions under the same conditions are refused', (t) => {
  const contradiction: Terse[] = [
    ['ALLOW', [0, 'EQ', 1], [1, 'EQ', 2]],
    [7, [1, 'EQ', 2], [0, 'EQ', 1]],
  ];
  t.throws(() => tried(contradiction), {
    instanceOf: RangeError,
    message: "The seccomp rules have two actions for 'read' under the same conditions",
  });
  t.is(tried([contradiction[0] ?? [1], contradiction[0] ?? [1]]).length, 1);
});

test('names that the machine does not have are passed over', (t) => {
  const syscalls = [{ names: ['no_such_call', 'socketcall', 'read'], action: 'SCMP_ACT_ALLOW' }] as const;
  const calls = alternativesByCall({ defaultAction: 'SCMP_ACT_KILL', syscalls }, 'x64');
  t.deepEqual([...calls], [[0, [{ conditions: [], result: seccompResult('SCMP_ACT_ALLOW') }]]]);
});
