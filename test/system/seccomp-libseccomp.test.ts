// Compiled filters beside those of libseccomp, which runc and crun use: the same result for every call. Several rules whose
// ranges overlap are left out: there libseccomp loses some (of `a0 <= 1` and `a0 < 2^33+1`, nothing is left for 2^33).
import assert from 'node:assert/strict';

import { existsSync, readFileSync } from 'node:fs';

import test from 'ava';
import * as fc from 'fast-check';

import { AUDIT_ARCH, compileSeccomp } from '../../src/linux/seccomp/compile.ts';
import type {
  SeccompAction,
  SeccompArgument,
  SeccompOperator,
  SeccompProfile,
  SeccompRule,
} from '../../src/linux/seccomp/profile.ts';
import { formatResult } from '../../src/linux/seccomp/text.ts';
import { syscallNumber } from '../../src/linux/syscall-numbers.ts';
import { runFilter } from '../linux/seccomp/bpf-machine.ts';
import { libseccompFilters, libseccompUnusable } from './libseccomp.ts';

const unusable = libseccompUnusable();
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;

const CALL = 'getpriority';
const EVERY = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}` as SeccompOperator);
const word = fc.constantFrom(0n, 1n, 2n, 3n, 0xffffffffn);
const wide = fc.tuple(word, word).map(([high, low]) => (high << 32n) | low);
const VALUES = [0n, 1n, 2n, 3n, 4n, 0xffffffffn, 0x1_0000_0000n, 0x1_0000_0001n, 0xffffffff_ffffffffn];

type Shape = { readonly operators: readonly SeccompOperator[]; readonly args: number; readonly rules: number };

function profiles({ operators, args, rules }: Shape): fc.Arbitrary<SeccompProfile> {
  const argument: fc.Arbitrary<SeccompArgument> = fc.record({
    index: fc.integer({ min: 0, max: 2 }),
    op: fc.constantFrom(...operators),
    value: fc.oneof(word, wide),
    valueTwo: fc.oneof(word, wide),
  });
  const rule: fc.Arbitrary<SeccompRule> = fc
    .record({
      action: fc.constantFrom<SeccompAction | number>('SCMP_ACT_ALLOW', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP', 1, 2),
      args: fc.uniqueArray(argument, { maxLength: args, selector: ({ index }) => index }),
    })
    .map(({ action, args: conditions }) =>
      typeof action === 'number'
        ? { names: [CALL], action: 'SCMP_ACT_ERRNO', errnoRet: action, args: conditions }
        : { names: [CALL], action, args: conditions },
    );
  return fc.record({
    defaultAction: fc.constantFrom('SCMP_ACT_ALLOW', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP'),
    syscalls: fc.array(rule, { minLength: 1, maxLength: rules }),
  });
}

function assertAlike(profile: SeccompProfile, theirs: Buffer): void {
  const shown = JSON.stringify(profile, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  const ours = compileSeccomp(profile, 'x64');
  for (const [a, b, c] of VALUES.flatMap((a) => VALUES.flatMap((b) => VALUES.slice(0, 4).map((c) => [a, b, c])))) {
    const call = { nr: syscallNumber('x64', CALL), arch: AUDIT_ARCH.x64, args: [a ?? 0n, b ?? 0n, c ?? 0n] };
    const [got, expected] = [runFilter(ours, call), runFilter(theirs, call)].map(formatResult);
    assert.equal(got, expected, `${CALL}(${a}, ${b}, ${c}) under ${shown}`);
  }
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'one rule of every kind': { operators: EVERY, args: 3, rules: 1 },
  'several rules, equal to one value or more': { operators: ['SCMP_CMP_EQ'], args: 2, rules: 4 },
  'a rule for some values and one for the rest': { operators: ['SCMP_CMP_EQ', 'SCMP_CMP_GE'], args: 1, rules: 2 },
};
for (const [title, shape] of Object.entries(SHAPES)) {
  usable(`libseccomp decides alike: ${title}${suffix}`, (t) => {
    const some = fc.sample(profiles(shape), 400);
    const theirs = libseccompFilters(some);
    // It takes no two rules of which one includes the other, when the longer one comes first.
    const taken = some.flatMap((profile, index) =>
      theirs[index] === undefined ? [] : [[profile, theirs[index]] as const],
    );
    t.true(taken.length > 300);
    t.notThrows(() => taken.forEach(([profile, filter]) => assertAlike(profile, filter)));
  });
}

usable(`libseccomp decides alike for every call of a profile of three architectures${suffix}`, (t) => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names: ['read', 'write', 'ioctl', 'execve', 'socketcall', 'mmap2', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
      { names: ['mount', 'umount', 'umount2'], action: 'SCMP_ACT_KILL_PROCESS' },
      { names: ['openat2'], action: 'SCMP_ACT_LOG' },
    ],
  };
  const [theirs] = libseccompFilters([profile]);
  const ours = compileSeccomp(profile, 'x64');
  // Beyond openat2 the answer is ENOSYS, as runc puts it in front of what libseccomp makes.
  const newest = syscallNumber('x64', 'openat2');
  for (const [arch, base] of [
    [AUDIT_ARCH.x64, 0],
    [AUDIT_ARCH.x64, 0x40000000],
    [AUDIT_ARCH.ia32, 0],
  ] as const) {
    for (let nr = base; nr <= base + newest; nr++) {
      const [got, expected] = [ours, theirs ?? ours].map((filter) =>
        formatResult(runFilter(filter, { nr, arch, args: [] })),
      );
      if (got !== expected) t.is(got, expected, `${arch.toString(16)} ${nr}`);
    }
  }
  t.not(theirs, undefined);
});

type EngineRule = SeccompRule & {
  readonly includes?: { readonly caps?: readonly string[]; readonly arches?: readonly string[] };
  readonly excludes?: { readonly caps?: readonly string[]; readonly arches?: readonly string[] };
};

const ENGINE_PROFILE = '/usr/share/containers/seccomp.json';

/** Podman's default profile as Podman gives it to a runtime on x86_64, for a container with these capabilities. */
function engineProfile(capabilities: readonly string[]): SeccompProfile {
  const profile = JSON.parse(readFileSync(ENGINE_PROFILE, 'utf8')) as SeccompProfile & {
    readonly syscalls: readonly EngineRule[];
  };
  const applies = ({ includes = {}, excludes = {} }: EngineRule): boolean =>
    (includes.caps ?? []).every((name) => capabilities.includes(name)) &&
    (includes.arches ?? ['amd64']).includes('amd64') &&
    !(excludes.caps ?? []).some((name) => capabilities.includes(name)) &&
    !(excludes.arches ?? []).includes('amd64');
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: profile.syscalls.filter(applies).map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet === undefined || action !== 'SCMP_ACT_ERRNO' ? {} : { errnoRet }),
      ...(args === undefined || args === null ? {} : { args }),
    })),
  };
}

const ENGINE_ARGUMENTS = [
  0n,
  1n,
  2n,
  8n,
  16n,
  38n,
  40n,
  41n,
  0x20000n,
  0x20008n,
  0x7e020000n,
  0xffffffffn,
  2n ** 64n - 1n,
];
const engine = existsSync(ENGINE_PROFILE) ? usable : test.skip;
for (const capabilities of [[], ['CAP_SYS_ADMIN'], ['CAP_AUDIT_WRITE', 'CAP_SYS_PTRACE']]) {
  const title = `libseccomp decides alike under a profile of 470 names, with ${capabilities.join(' and ') || 'no capability'}`;
  engine(`${title}${suffix}`, (t) => {
    const profile = engineProfile(capabilities);
    const [theirs] = libseccompFilters([profile]);
    const ours = compileSeccomp(profile, 'x64');
    t.not(theirs, undefined);
    t.log(`${ours.length / 8} instructions, libseccomp's ${(theirs?.length ?? 0) / 8}`);
    const seen = new Set<string>();
    for (const [arch, base] of [
      [AUDIT_ARCH.x64, 0],
      [AUDIT_ARCH.x64, 0x40000000],
      [AUDIT_ARCH.ia32, 0],
    ] as const) {
      for (let nr = base; nr < base + 460; nr++) {
        for (const value of ENGINE_ARGUMENTS) {
          const call = { nr, arch, args: [value, value, value] };
          const [got, expected] = [ours, theirs ?? ours].map((filter) => formatResult(runFilter(filter, call)));
          seen.add(got ?? '');
          if (got !== expected) t.is(got, expected, `${arch.toString(16)} ${nr}(${value}, …)`);
        }
      }
    }
    t.true(seen.size > 1);
  });
}
