import { existsSync, readFileSync } from 'node:fs';

import test from 'ava';

import {
  nativeAbi,
  parseSyscallTable,
  type SyscallAbi,
  syscallName,
  syscallNumber,
  syscallNumbers,
  X32_SYSCALL_BIT,
} from '../../src/linux/syscall-numbers.ts';

const ABIS: readonly SyscallAbi[] = ['x64', 'arm64', 'ia32', 'arm'];
const numbers = (name: string): number[] => ABIS.map((abi) => syscallNumber(abi, name));

test('well-known calls have their numbers on every ABI', (t) => {
  t.deepEqual(numbers('read'), [0, 63, 3, 3]);
  t.deepEqual(numbers('execve'), [59, 221, 11, 11]);
  t.deepEqual(numbers('clone3'), [435, 435, 435, 435]);
  t.deepEqual(numbers('openat2'), [437, 437, 437, 437]);
  t.deepEqual(numbers('mount_setattr'), [442, 442, 442, 442]);
  t.deepEqual(numbers('pivot_root'), [155, 41, 217, 218]);
});

test('numbers are unique within an ABI, and names lead back to them', (t) => {
  for (const abi of ABIS) {
    const table = syscallNumbers(abi);
    const all = [...table.values()];
    t.is(new Set(all).size, abi === 'arm' ? all.length - 1 : all.length, abi);
    for (const [name, number] of table) if (name !== 'arm_sync_file_range') t.is(syscallName(abi, number), name);
  }
});

test('tables hold nothing but names and increasing positions', (t) => {
  for (const abi of ABIS) {
    const all = [...syscallNumbers(abi).values()];
    t.deepEqual(
      all,
      all.toSorted((a, b) => a - b),
    );
    t.deepEqual(
      [...syscallNumbers(abi).keys()].filter((name) => !/^[a-z_][a-z0-9_]*$/.test(name)),
      [],
    );
  }
});

const HEADER = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
const headers = existsSync(HEADER) ? test : test.skip;
headers('the x64 table agrees with the headers of this machine', (t) => {
  const defined = [...readFileSync(HEADER, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)];
  t.true(defined.length > 300);
  for (const [, name = '', number] of defined) t.is(syscallNumber('x64', name), Number(number), name);
});

test('a table is read with positions and second names', (t) => {
  t.deepEqual(
    [...parseSyscallTable(' a b|c @7 d\n e ')],
    [
      ['a', 0],
      ['b', 1],
      ['c', 1],
      ['d', 7],
      ['e', 8],
    ],
  );
});

test('an unknown name is refused, an unknown number printed as strace does', (t) => {
  t.throws(() => syscallNumber('arm64', 'fork'), { message: "The arm64 kernel has no system call 'fork'" });
  t.is(syscallName('x64', 4000), 'syscall_4000');
});

test('berth runs on two machines', (t) => {
  t.is(nativeAbi('arm64'), 'arm64');
  t.throws(() => nativeAbi('riscv64'), { message: "berth runs on x64 and arm64, not on 'riscv64'" });
});

const X32_HEADER = '/usr/include/x86_64-linux-gnu/asm/unistd_x32.h';
(existsSync(X32_HEADER) ? test : test.skip)('x32 has the calls of its header, and of the older ones no other', (t) => {
  const header = readFileSync(X32_HEADER, 'utf8');
  const theirs = [...header.matchAll(/__NR_(\w+) \(__X32_SYSCALL_BIT \+ (\d+)\)/g)];
  t.true(theirs.length > 300);
  for (const [, name = '', number] of theirs) t.is(syscallNumber('x32', name), X32_SYSCALL_BIT + Number(number), name);
  const names = new Set(theirs.map(([, name]) => name));
  const newest = Math.max(...theirs.map(([, , number]) => Number(number)).filter((number) => number < 512));
  const ours = [...syscallNumbers('x32')].filter(([, number]) => number - X32_SYSCALL_BIT <= newest);
  t.deepEqual(
    ours.filter(([name]) => !names.has(name)),
    [],
  );
});
