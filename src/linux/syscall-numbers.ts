// syscalls(2): names and numbers of every ABI that a berth machine may meet.
import { ARM_SYSCALLS } from './syscalls-arm.ts';
import { ARM64_SYSCALLS } from './syscalls-arm64.ts';
import { IA32_SYSCALLS } from './syscalls-ia32.ts';
import { X32_MISSING_SYSCALLS, X32_OWN_SYSCALLS } from './syscalls-x32.ts';
import { X64_SYSCALLS } from './syscalls-x64.ts';

/** A machine's own ABI, named as `process.arch` names it. */
export type NativeAbi = 'x64' | 'arm64';
/** A native ABI, or one with short pointers that the same kernel also serves. */
export type SyscallAbi = NativeAbi | 'ia32' | 'arm' | 'x32';

/** An x32 call is an x86_64 call with this bit, under the same audit architecture. */
export const X32_SYSCALL_BIT = 0x40000000;

/** Each table is read when it is first asked for: most commands need that of the machine alone. */
const NUMBERS: Readonly<Record<SyscallAbi, () => ReadonlyMap<string, number>>> = {
  x64: once(() => parseSyscallTable(X64_SYSCALLS)),
  arm64: once(() => parseSyscallTable(ARM64_SYSCALLS)),
  ia32: once(() => parseSyscallTable(IA32_SYSCALLS)),
  arm: once(() => parseSyscallTable(ARM_SYSCALLS)),
  x32: once(x32Numbers),
};

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}

/**
 * Read a compact table: names in the order of their numbers, `@N` continues at number N, `a|b` are two names of one call.
 * A name that occurs twice keeps its first number.
 */
export function parseSyscallTable(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.split(/\s+/)) {
    if (word === '') continue;
    if (word.startsWith('@')) {
      next = Number(word.slice(1));
      continue;
    }
    for (const name of word.split('|')) if (!numbers.has(name)) numbers.set(name, next);
    next += 1;
  }
  return numbers;
}

/** The x86_64 numbers with the bit set, but for calls whose structures hold pointers, and for some that x32 never had. */
function x32Numbers(): ReadonlyMap<string, number> {
  const missing = new Set(X32_MISSING_SYSCALLS.split(/\s+/));
  const shared = [...parseSyscallTable(X64_SYSCALLS)].filter(([name]) => !missing.has(name));
  const numbers = [...shared, ...parseSyscallTable(X32_OWN_SYSCALLS)];
  return new Map(numbers.map(([name, number]) => [name, number + X32_SYSCALL_BIT]));
}

/** All calls of `abi`, name to number. */
export function syscallNumbers(abi: SyscallAbi): ReadonlyMap<string, number> {
  return NUMBERS[abi]();
}

/** The number of the call `name`. Throws a RangeError when `abi` has no such call. */
export function syscallNumber(abi: SyscallAbi, name: string): number {
  const number = NUMBERS[abi]().get(name);
  if (number === undefined) throw new RangeError(`The ${abi} kernel has no system call '${name}'`);
  return number;
}

/** The name of call `number`; a number without a name prints as `syscall_N`, as strace does. */
export function syscallName(abi: SyscallAbi, number: number): string {
  for (const [name, value] of NUMBERS[abi]()) if (value === number) return name;
  return `syscall_${number}`;
}

/** Narrow `process.arch` to an ABI that berth runs on. Throws a RangeError on any other machine. */
export function nativeAbi(arch: string = process.arch): NativeAbi {
  if (arch === 'x64' || arch === 'arm64') return arch;
  throw new RangeError(`berth runs on x64 and arm64, not on '${arch}'`);
}
