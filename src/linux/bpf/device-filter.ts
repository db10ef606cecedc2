// Device rules of a cgroup as an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE: what cgroup v2 has in place of v1's devices
// controller (Documentation/admin-guide/cgroup-v2.rst, "Device controller"). Pure.
import type { CgroupDeviceRule } from '../cgroup/resources.ts';
import {
  and,
  type BpfInstruction,
  exit,
  jump,
  jumpIfAny,
  jumpUnlessEqual,
  load,
  move,
  shiftRight,
} from './instruction.ts';

/** The kinds of access in a struct bpf_cgroup_dev_ctx (linux/bpf.h). */
export const DEVICE_ACCESS = { m: 1, r: 2, w: 4 } as const;
/** The types of device in it. */
export const DEVICE_TYPE = { b: 1, c: 2 } as const;

const ALL_ACCESS = 7;
const MAX_NUMBER = 0xffff_ffff;
const ANY = -1;

// Registers: the answer, the context, then what it holds. `WANTED` loses each kind of access that a rule has allowed.
const [ANSWER, CONTEXT, TYPE, WANTED, MAJOR, MINOR] = [0, 1, 2, 3, 4, 5];

/**
 * The program for rules in their order: for each kind of access that is asked for, the last rule that matches decides; where
 * none does, the answer is no. It reads the rules from the last to the first and stops when all is decided.
 *
 * Throws a RangeError on numbers, types or letters of access that no device has.
 */
export function deviceFilter(rules: readonly CgroupDeviceRule[]): BpfInstruction[] {
  const program = [
    load(TYPE, CONTEXT, 0),
    and(TYPE, 0xffff),
    load(WANTED, CONTEXT, 0),
    shiftRight(WANTED, 16),
    load(MAJOR, CONTEXT, 4),
    load(MINOR, CONTEXT, 8),
    move(ANSWER, 0),
  ];
  for (const rule of rules.toReversed()) {
    const conditions = conditionsOf(rule);
    const decision = decisionOf(rule);
    program.push(
      ...conditions.map((jump, index) => jump(conditions.length - 1 - index + decision.length)),
      ...decision,
    );
    // The verifier refuses instructions that cannot be reached.
    if (conditions.length === 0 && accessOf(rule) === ALL_ACCESS) return program;
  }
  return [...program, exit];
}

/** Whether rules let everything through: then no program is needed. */
export function allowsEverything(rules: readonly CgroupDeviceRule[]): boolean {
  const last = rules.findLastIndex((rule) => conditionsOf(rule).length === 0 && accessOf(rule) === ALL_ACCESS);
  const after = rules.slice(last + 1);
  return last !== -1 && rules[last]?.allow === true && after.every(({ allow }) => allow);
}

type Condition = (off: number) => BpfInstruction;

/** Each jumps over the rest of the rule, however long that is, when the device is another. */
function conditionsOf({ type = 'a', major = ANY, minor = ANY }: CgroupDeviceRule): Condition[] {
  return [
    ...(type === 'a' ? [] : [unless(TYPE, DEVICE_TYPE[type])]),
    ...(major === ANY ? [] : [unless(MAJOR, checkNumber(major))]),
    ...(minor === ANY ? [] : [unless(MINOR, checkNumber(minor))]),
  ];
}

function unless(register: number, value: number): Condition {
  return (off) => jumpUnlessEqual(register, value, off);
}

function decisionOf(rule: CgroupDeviceRule): BpfInstruction[] {
  const access = accessOf(rule);
  const whole = access === ALL_ACCESS;
  if (!rule.allow) return whole ? [exit] : [jumpIfAny(WANTED, access, 1), jump(1), exit];
  const yes = [move(ANSWER, 1), exit];
  return whole ? yes : [and(WANTED, ~access & ALL_ACCESS), jumpUnlessEqual(WANTED, 0, yes.length), ...yes];
}

function accessOf({ access = 'rwm' }: CgroupDeviceRule): number {
  let bits = 0;
  for (const letter of access) {
    if (letter !== 'r' && letter !== 'w' && letter !== 'm') {
      throw new RangeError(`Device access is made of r, w and m, but this is '${access}'`);
    }
    bits |= DEVICE_ACCESS[letter];
  }
  return bits;
}

function checkNumber(number: number): number {
  if (Number.isInteger(number) && number >= 0 && number <= MAX_NUMBER) return number;
  throw new RangeError(`A device number is from 0 to ${MAX_NUMBER}, or -1 for any, but this is ${number}`);
}
