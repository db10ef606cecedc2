import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { AUDIT_ARCH, compileSeccomp } from '../../../src/linux/seccomp/compile.ts';
import { refuses } from '../../../src/linux/seccomp/decision.ts';
import {
  type SeccompAction,
  type SeccompArgument,
  type SeccompOperator,
  type SeccompProfile,
  type SeccompRule,
  seccompResult,
} from '../../../src/linux/seccomp/profile.ts';
import { type Alternative, alternativesByCall, type Condition } from '../../../src/linux/seccomp/rules.ts';
import { formatResult } from '../../../src/linux/seccomp/text.ts';
import {
  type NativeAbi,
  type SyscallAbi,
  syscallNumber,
  syscallNumbers,
  X32_SYSCALL_BIT,
} from '../../../src/linux/syscall-numbers.ts';
import { runFilter } from './bpf-machine.ts';

const ALLOW = seccompResult('SCMP_ACT_ALLOW');
const ENOSYS = seccompResult('SCMP_ACT_ERRNO', 38);
const EPERM = seccompResult('SCMP_ACT_ERRNO', 1);
const KILL_PROCESS = seccompResult('SCMP_ACT_KILL_PROCESS');

function call(program: Buffer, abi: SyscallAbi, nr: number | string, ...args: readonly bigint[]): string {
  const number = typeof nr === 'string' ? syscallNumber(abi, nr) : nr;
  return formatResult(runFilter(program, { nr: number, arch: AUDIT_ARCH[abi], args }));
}

/** What the rules say, without BPF: the definition that compiled filters are held against. */
function evaluate(profile: SeccompProfile, abi: SyscallAbi, nr: number, args: readonly bigint[]): number {
  const fallback = seccompResult(profile.defaultAction, profile.defaultErrnoRet);
  const listed = { x64: true, arm64: true, ia32: 'SCMP_ARCH_X86', arm: 'SCMP_ARCH_ARM', x32: 'SCMP_ARCH_X32' }[abi];
  const x32 = abi === 'x64' && nr >= X32_SYSCALL_BIT;
  if (x32) return profile.architectures?.includes('SCMP_ARCH_X32') ? evaluate(profile, 'x32', nr, args) : ENOSYS;
  if (listed !== true && profile.architectures?.includes(String(listed)) !== true) return KILL_PROCESS;
  const calls = alternativesByCall(profile, abi);
  const holds = ({ conditions }: Alternative): boolean =>
    conditions.every((condition) => compare(condition, args[condition.index] ?? 0n));
  const alternatives = calls.get(nr);
  if (alternatives !== undefined) return alternatives.find(holds)?.result ?? fallback;
  const [first, end] = abi === 'x32' ? [X32_SYSCALL_BIT, 2 ** 32] : [0, abi === 'arm' ? 0xf0000 : 2 ** 32];
  const newest = Math.max(-1, ...[...calls.keys()].filter((number) => number >= first && number < end));
  return newest >= 0 && nr > newest && refuses(profile) ? ENOSYS : fallback;
}

function compare({ op, width, value, valueTwo }: Condition, whole: bigint): boolean {
  const argument = BigInt.asUintN(width, whole);
  const left = value;
  const comparisons: Record<SeccompOperator, boolean> = {
    SCMP_CMP_NE: argument !== left,
    SCMP_CMP_LT: argument < left,
    SCMP_CMP_LE: argument <= left,
    SCMP_CMP_EQ: argument === left,
    SCMP_CMP_GE: argument >= left,
    SCMP_CMP_GT: argument > left,
    SCMP_CMP_MASKED_EQ: (argument & left) === valueTwo,
  };
  return comparisons[op];
}

const names =
  'read write socket clone clone3 mmap mmap2 personality ioctl ptrace mseal futex cacheflush openat2 no_such_call'.split(
    ' ',
  );
// Few words, so that arguments often meet the values they are compared with, also in one half only.
const word = fc.constantFrom(0n, 1n, 2n, 0x7fffffffn, 0x80000000n, 0xffffffffn);
const value = fc.tuple(word, word).map(([high, low]) => (high << 32n) | low);
const action = fc.constantFrom(
  ...(['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP'] as const),
  ...(['SCMP_ACT_LOG', 'SCMP_ACT_TRACE', 'SCMP_ACT_NOTIFY', 'SCMP_ACT_KILL_THREAD'] as const),
);
const argument: fc.Arbitrary<SeccompArgument> = fc.record({
  index: fc.integer({ min: 0, max: 5 }),
  value,
  valueTwo: value,
  op: fc.constantFrom(
    ...(['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT'] as const),
    'SCMP_CMP_MASKED_EQ' as const,
  ),
});
const takesErrno = (name: SeccompAction): boolean => name === 'SCMP_ACT_ERRNO' || name === 'SCMP_ACT_TRACE';
const rule: fc.Arbitrary<SeccompRule> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }),
    action,
    errnoRet: fc.integer({ min: 0, max: 4095 }),
    args: fc.array(argument, { maxLength: 3 }),
  })
  .map(({ errnoRet, ...others }) => (takesErrno(others.action) ? { ...others, errnoRet } : others));
const profile: fc.Arbitrary<SeccompProfile> = fc
  .record({
    defaultAction: action,
    defaultErrnoRet: fc.integer({ min: 1, max: 4095 }),
    architectures: fc.subarray(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_ARM']),
    syscalls: fc.array(rule, { maxLength: 12 }),
  })
  .map(({ defaultErrnoRet, ...others }) =>
    takesErrno(others.defaultAction) ? { ...others, defaultErrnoRet } : others,
  );

/** Undefined where two rules contradict each other. */
function compiled(rules: SeccompProfile, abi: NativeAbi): Buffer | undefined {
  try {
    return compileSeccomp(rules, abi);
  } catch (error) {
    assert.match(String(error), /two actions for '\w+' under the same conditions/);
    return undefined;
  }
}
const machine = fc.constantFrom<readonly [NativeAbi, SyscallAbi]>(
  ...([
    ['x64', 'x64'],
    ['x64', 'ia32'],
    ['arm64', 'arm64'],
    ['arm64', 'arm'],
  ] as const),
);
const number = fc.oneof(
  fc.constantFrom(...names),
  fc.integer({ min: 0, max: 480 }),
  fc.constantFrom(0xf0000, 0xf0002, 0x3fffffff, 0x40000000, 0x40000001, 0xffffffff),
);

test('a filter decides every call as its rules do', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        profile,
        machine,
        fc.array(fc.tuple(number, fc.array(value, { minLength: 6, maxLength: 6 })), { minLength: 20, maxLength: 20 }),
        (rules, [abi, callAbi], calls) => {
          const program = compiled(rules, abi);
          if (program === undefined) return;
          for (const [callee, args] of calls) {
            const nr = typeof callee === 'number' ? callee : (syscallNumbers(callAbi).get(callee) ?? 7);
            const got = runFilter(program, { nr, arch: AUDIT_ARCH[callAbi], args });
            assert.equal(formatResult(got), formatResult(evaluate(rules, callAbi, nr, args)), `${callAbi} ${nr}`);
          }
        },
      ),
      { numRuns: 1000 },
    ),
  );
});

test('targets farther than a jump reaches are still reached', (t) => {
  const calls = [...syscallNumbers('x64').keys()];
  const rules = calls.map<SeccompRule>((name, index) => ({
    names: [name],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: index + 1,
    args: [{ index: 0, op: 'SCMP_CMP_EQ', value: index }],
  }));
  const wide: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules };
  const program = compileSeccomp(wide, 'x64');
  t.true(program.length / 8 > 1024);
  for (const [index, name] of calls.entries()) {
    const nr = syscallNumber('x64', name);
    const matched = runFilter(program, { nr, arch: AUDIT_ARCH.x64, args: [BigInt(index)] });
    if (matched !== seccompResult('SCMP_ACT_ERRNO', index + 1)) t.fail(name);
    if (runFilter(program, { nr, arch: AUDIT_ARCH.x64, args: [BigInt(index) + 1n] }) !== ALLOW) t.fail(name);
  }
});

test('a filter longer than the kernel takes is refused', (t) => {
  const syscalls = Array.from({ length: 1500 }, (_, index): SeccompRule => ({
    names: ['ioctl'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 1, op: 'SCMP_CMP_EQ', value: index }],
  }));
  const error = t.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x64'));
  t.regex(error?.message ?? '', /^The seccomp filter has \d+ instructions, Linux takes 4096$/);
});

test('a call newer than the profile gets ENOSYS, an older one that it does not name the default', (t) => {
  const syscalls: SeccompRule[] = [{ names: ['read', 'openat2'], action: 'SCMP_ACT_ALLOW' }];
  const program = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x64');
  t.is(call(program, 'x64', 'openat2'), 'ALLOW');
  t.is(call(program, 'x64', 'clone3'), 'ERRNO(EPERM)');
  t.is(call(program, 'x64', 'mseal'), 'ERRNO(ENOSYS)');
  t.is(call(program, 'x64', 9999), 'ERRNO(ENOSYS)');
});

test('x32 calls are refused also when everything else is allowed', (t) => {
  const program = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, 'x64');
  t.is(call(program, 'x64', 59), 'ALLOW');
  t.is(call(program, 'x64', 0x40000000 + 59), 'ERRNO(ENOSYS)');
});

test('x32 calls are decided by their own numbers when the profile lists them', (t) => {
  const syscalls: SeccompRule[] = [
    { names: ['read', 'ioctl'], action: 'SCMP_ACT_ALLOW' },
    { names: ['execve'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
  ];
  const architectures = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'];
  const program = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', architectures, syscalls }, 'x64');
  const x32 = (number: number): string => call(program, 'x64', X32_SYSCALL_BIT + number);
  t.deepEqual([x32(0), x32(1), x32(514), x32(520)], ['ALLOW', 'ERRNO(EPERM)', 'ALLOW', 'ERRNO(EACCES)']);
  t.is(x32(16), 'ERRNO(EPERM)', 'the number that ioctl has on x86_64');
  t.is(x32(547), 'ERRNO(ENOSYS)', 'newer than the profile');
  t.is(call(program, 'x64', 'ioctl'), 'ALLOW');
  t.is(call(program, 'x64', 514), 'ERRNO(ENOSYS)');
});

test('calls of an architecture that the profile does not list kill', (t) => {
  for (const defaultAction of ['SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW'] as const) {
    const program = compileSeccomp({ defaultAction, architectures: ['SCMP_ARCH_ARM'] }, 'x64');
    t.is(call(program, 'ia32', 'read'), 'KILL_PROCESS');
    t.is(call(program, 'arm', 'read'), 'KILL_PROCESS', 'no architecture of this machine');
  }
});

test('a rule that names one argument twice means either', (t) => {
  const syscalls: SeccompRule[] = [
    {
      names: ['socket'],
      action: 'SCMP_ACT_ALLOW',
      args: [
        { index: 0, op: 'SCMP_CMP_EQ', value: 1 },
        { index: 0, op: 'SCMP_CMP_EQ', value: 2 },
      ],
    },
  ];
  const program = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'arm64');
  t.deepEqual(
    [1n, 2n, 3n].map((family) => call(program, 'arm64', 'socket', family)),
    ['ALLOW', 'ALLOW', 'ERRNO(EPERM)'],
  );
});

test('2^64-1 survives JSON', (t) => {
  const value = Number('18446744073709551615');
  const syscalls: SeccompRule[] = [
    { names: ['ioctl'], action: 'SCMP_ACT_ALLOW', args: [{ index: 1, op: 'SCMP_CMP_EQ', value }] },
  ];
  const program = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x64');
  t.is(call(program, 'x64', 'ioctl', 0n, 2n ** 64n - 1n), 'ALLOW');
  t.is(runFilter(program, { nr: 16, arch: AUDIT_ARCH.x64, args: [0n, 2n ** 64n - 2n] }), EPERM);
});

const refused = test.macro({
  exec(t, syscall: Partial<SeccompRule>, message: string) {
    const syscalls = [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...syscall } as SeccompRule];
    t.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x64'), {
      instanceOf: RangeError,
      message,
    });
  },
  title: (_, __: Partial<SeccompRule>, message: string) => `a malformed rule is refused: ${message}`,
});
const compared = (over: object): Partial<SeccompRule> => ({
  args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 0, ...over }],
});
test(refused, compared({ index: 6 }), 'A system call has arguments 0 to 5, not 6');
test(refused, compared({ value: 0.5 }), 'A seccomp argument is compared with a whole number, not 0.5');
test(refused, compared({ op: 'SCMP_CMP_ISH' }), "Unknown seccomp operator 'SCMP_CMP_ISH'");
test(refused, { action: 'SCMP_ACT_MAYBE' } as unknown as SeccompRule, "Unknown seccomp action 'SCMP_ACT_MAYBE'");
test(refused, { errnoRet: 1 }, 'SCMP_ACT_ALLOW takes no errnoRet, only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do');
test(
  refused,
  { action: 'SCMP_ACT_ERRNO', errnoRet: 4096 },
  'The errnoRet of SCMP_ACT_ERRNO is a number from 0 to 4095, not 4096',
);
