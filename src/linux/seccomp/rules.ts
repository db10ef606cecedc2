// What several rules of a profile say about one system call, as libseccomp (2.5, db.c) and so runc and crun understand them:
//
//   - a rule whose action is the default's says nothing;
//   - a rule without arguments settles the call, wherever it stands; the first such one counts;
//   - of two rules whose conditions begin alike, the one with fewer conditions counts: it includes the other;
//   - two results for the same conditions are an error;
//   - what is left is tried in an order of its own, not in the profile's: by the first argument compared, the highest first;
//     equalities before `<`, and these before `>`; then the narrower of two ranges, and the higher value.
//
// Profiles are written and tried out against that. Pure.
import { type SyscallAbi, syscallNumbers } from '../syscall-numbers.ts';
import {
  type SeccompArgument,
  type SeccompOperator,
  type SeccompProfile,
  type SeccompRule,
  seccompResult,
} from './profile.ts';

/** One comparison of an argument. MASKED_EQ is `(argument & value) === valueTwo`. */
export type Condition = {
  readonly index: number;
  /** How many bits of the argument count. */
  readonly width: 32 | 64;
  readonly op: SeccompOperator;
  readonly value: bigint;
  readonly valueTwo: bigint;
};

/** A result, when all conditions hold. Conditions are in the order of their arguments. */
export type Alternative = { readonly conditions: readonly Condition[]; readonly result: number };

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const UINT32_MAX = 0xffff_ffffn;

/**
 * What to try for every call that the rules name, in order: number → alternatives. A call that rules name without saying
 * anything else than the default has none. Names that the ABI does not have are passed over: one profile serves many
 * machines. Throws a RangeError on a malformed rule, or on two that contradict each other.
 */
export function alternativesByCall(profile: SeccompProfile, abi: SyscallAbi): Map<number, readonly Alternative[]> {
  const table = syscallNumbers(abi);
  const named = new Map<number, { readonly name: string; readonly alternatives: Alternative[] }>();
  const fallback = seccompResult(profile.defaultAction, profile.defaultErrnoRet);
  for (const rule of profile.syscalls ?? []) {
    const added = alternativesOf(rule, abi).filter(({ result }) => result !== fallback);
    for (const name of rule.names) {
      const number = table.get(name);
      if (number === undefined) continue;
      const call = named.get(number) ?? { name, alternatives: [] };
      call.alternatives.push(...added);
      named.set(number, call);
    }
  }
  return new Map([...named].map(([number, { name, alternatives }]) => [number, settled(alternatives, name)]));
}

function alternativesOf(rule: SeccompRule, abi: SyscallAbi): Alternative[] {
  const result = seccompResult(rule.action, rule.errnoRet);
  const all = (rule.args ?? []).map((argument) => conditionOf(argument, abi));
  const conditions = all.filter(({ op, value }) => op !== 'SCMP_CMP_MASKED_EQ' || value !== 0n);
  const indexes = new Set(all.map(({ index }) => index));
  // A rule that names one argument twice means "either": libseccomp cannot AND them, and profiles rely on that.
  if (indexes.size < all.length) return all.map((condition) => ({ conditions: [condition], result }));
  return [{ conditions: conditions.sort((a, b) => a.index - b.index), result }];
}

function conditionOf({ index, op, value, valueTwo = 0 }: SeccompArgument, abi: SyscallAbi): Condition {
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    throw new RangeError(`A system call has arguments 0 to 5, not ${index}`);
  }
  const width = abi === 'x64' || abi === 'arm64' ? 64 : 32;
  const compared = unsigned(value) & (width === 32 ? UINT32_MAX : UINT64_MAX);
  // Bits outside the mask are zero in the argument's masked value too.
  const masked = op === 'SCMP_CMP_MASKED_EQ' ? unsigned(valueTwo) & compared : 0n;
  return { index, width, op, value: compared, valueTwo: masked };
}

/** A number of a JSON document as the kernel sees it. JSON.parse rounds 2^64-1 up to 2^64: take it back. */
function unsigned(value: number | bigint): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new RangeError(`A seccomp argument is compared with a whole number, not ${value}`);
  }
  const exact = BigInt(value);
  return exact > UINT64_MAX ? UINT64_MAX : BigInt.asUintN(64, exact);
}

function settled(alternatives: readonly Alternative[], name: string): readonly Alternative[] {
  const always = alternatives.find(({ conditions }) => conditions.length === 0);
  if (always !== undefined) return [always];
  if (alternatives.length < 2) return alternatives;
  const kept: Alternative[] = [];
  for (const alternative of alternatives) {
    const same = kept.find((other) => startsWith(alternative, other) && startsWith(other, alternative));
    if (same !== undefined && same.result !== alternative.result) {
      throw new RangeError(`The seccomp rules have two actions for '${name}' under the same conditions`);
    }
    if (same === undefined) kept.push(alternative);
  }
  const widest = kept.filter((one) => !kept.some((other) => other !== one && startsWith(one, other)));
  return widest.sort(byPrecedence);
}

function startsWith(whole: Alternative, start: Alternative): boolean {
  return start.conditions.every((condition, at) => {
    const other = whole.conditions[at];
    return other !== undefined && sameCondition(condition, other);
  });
}

function sameCondition(a: Condition, b: Condition): boolean {
  return a.index === b.index && a.op === b.op && a.value === b.value && a.valueTwo === b.valueTwo;
}

const PRECEDENCE: Readonly<Record<SeccompOperator, number>> = {
  SCMP_CMP_MASKED_EQ: 0,
  SCMP_CMP_EQ: 0,
  SCMP_CMP_NE: 0,
  SCMP_CMP_LE: 1,
  SCMP_CMP_LT: 1,
  SCMP_CMP_GE: 2,
  SCMP_CMP_GT: 2,
};

function byPrecedence(a: Alternative, b: Alternative): number {
  const length = Math.min(a.conditions.length, b.conditions.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.conditions[at], b.conditions[at]];
    const order = left === undefined || right === undefined ? 0 : conditionOrder(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function conditionOrder(a: Condition, b: Condition): number {
  if (a.index !== b.index) return b.index - a.index;
  const rank = PRECEDENCE[a.op] - PRECEDENCE[b.op];
  if (rank !== 0) return rank;
  const [left, right] = [datumOf(a), datumOf(b)];
  if (left === right) return 0;
  // The smaller bound of `<` is the narrower range.
  const lowFirst = PRECEDENCE[a.op] === 1;
  return left < right === lowFirst ? -1 : 1;
}

function datumOf({ op, value, valueTwo }: Condition): bigint {
  return op === 'SCMP_CMP_MASKED_EQ' ? valueTwo : value;
}
