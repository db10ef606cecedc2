// Compile a seccomp profile to a classic BPF filter: architecture, then a search tree over numbers, then arguments.
// The kernel caches the results of calls that are allowed whatever their arguments (5.11); the tree serves the rest.
import type { NativeAbi, SyscallAbi } from '../syscall-numbers.ts';
import { Assembler, JEQ, JGE, JGT, type Label } from './assembler.ts';
import { type Decision, decisionKey, type Segment, segmentsOf } from './decision.ts';
import { SECCOMP_RET_KILL_PROCESS, type SeccompProfile } from './profile.ts';
import type { Alternative, Condition } from './rules.ts';

/** AUDIT_ARCH_* of <linux/audit.h>. */
export const AUDIT_ARCH: Readonly<Record<SyscallAbi, number>> = {
  x64: 0xc000003e,
  ia32: 0x40000003,
  arm64: 0xc00000b7,
  arm: 0x40000028,
  x32: 0xc000003e,
};

// struct seccomp_data: nr, arch, instruction_pointer, args[6]; both machines are little endian.
const NR = 0;
const ARCH = 4;
const ARGS = 16;

const COMPATIBLE: Readonly<Record<NativeAbi, { readonly abi: 'ia32' | 'arm'; readonly name: string }>> = {
  x64: { abi: 'ia32', name: 'SCMP_ARCH_X86' },
  arm64: { abi: 'arm', name: 'SCMP_ARCH_ARM' },
};

/**
 * The filter of `profile` on a machine of `abi`, an array of `struct sock_filter` for seccomp(2).
 *
 * - The machine's own ABI is always filtered by the rules, others of the machine when `architectures` names them. A call of
 *   any other architecture kills the process; of x32 it gets ENOSYS, as from a kernel without x32.
 * - What several rules of one call mean together: see rules.ts.
 * - A call newer than the newest one that the profile names gets ENOSYS, so that libc falls back, unless the default
 *   lets it through.
 *
 * Pure; the caller caches. Throws a RangeError on a malformed rule, or when the filter exceeds 4096 instructions.
 */
export function compileSeccomp(profile: SeccompProfile, abi: NativeAbi): Buffer {
  const { abi: narrow, name } = COMPATIBLE[abi];
  const code = new Emitter();
  let otherArch = code.program.ret(SECCOMP_RET_KILL_PROCESS);
  if (profile.architectures?.includes(name)) {
    const entry = code.tree(segmentsOf(profile, narrow));
    otherArch = code.program.jump(JEQ, AUDIT_ARCH[narrow], entry, otherArch);
  }
  const entry = code.tree(segmentsOf(profile, abi));
  return code.program.finish(code.program.load(ARCH, code.program.jump(JEQ, AUDIT_ARCH[abi], entry, otherArch)));
}

/** Writes decisions and trees; equal decisions are written once. */
class Emitter {
  readonly program = new Assembler();
  readonly #decisions = new Map<string, Label>();

  /** Load the number, then search. */
  tree(segments: readonly Segment[]): Label {
    return this.program.load(NR, this.#search(segments));
  }

  #search(segments: readonly Segment[]): Label {
    const [first] = segments;
    if (first === undefined) throw new RangeError('A search tree has at least one segment');
    if (segments.length === 1) return this.#decide(first.decision);
    const middle = weightedMiddle(segments);
    const right = segments.slice(middle);
    const onTrue = this.#search(right);
    const onFalse = this.#search(segments.slice(0, middle));
    return this.program.jump(JGE, right[0]?.from ?? 0, onTrue, onFalse);
  }

  #decide(decision: Decision): Label {
    const key = decisionKey(decision);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const label = decision.alternatives.reduceRight<Label>(
      (otherwise, alternative) => this.#alternative(alternative, otherwise),
      this.program.ret(decision.otherwise),
    );
    this.#decisions.set(key, label);
    return label;
  }

  #alternative({ conditions, result }: Alternative, otherwise: Label): Label {
    return conditions.reduceRight<Label>(
      (onTrue, condition) => this.#condition(condition, onTrue, otherwise),
      this.program.ret(result),
    );
  }

  #condition(condition: Condition, onTrue: Label, onFalse: Label): Label {
    switch (condition.op) {
      case 'SCMP_CMP_EQ':
        return this.#equal(condition, onTrue, onFalse);
      case 'SCMP_CMP_NE':
        return this.#equal(condition, onFalse, onTrue);
      case 'SCMP_CMP_GE':
        return this.#above(condition, JGE, onTrue, onFalse);
      case 'SCMP_CMP_LT':
        return this.#above(condition, JGE, onFalse, onTrue);
      case 'SCMP_CMP_GT':
        return this.#above(condition, JGT, onTrue, onFalse);
      case 'SCMP_CMP_LE':
        return this.#above(condition, JGT, onFalse, onTrue);
      case 'SCMP_CMP_MASKED_EQ':
        return this.#maskedEqual(condition, onTrue, onFalse);
      default:
        throw new RangeError(`Unknown seccomp operator '${String(condition.op)}'`);
    }
  }

  #equal({ index, width, value }: Condition, onTrue: Label, onFalse: Label): Label {
    const { program } = this;
    const lowEqual = program.load(lowWord(index), program.jump(JEQ, low(value), onTrue, onFalse));
    if (width === 32) return lowEqual;
    return program.load(highWord(index), program.jump(JEQ, high(value), lowEqual, onFalse));
  }

  /** 64-bit `>` or `>=` from 32-bit ones: the high word decides unless it is equal. */
  #above({ index, width, value }: Condition, lowCode: number, onTrue: Label, onFalse: Label): Label {
    const { program } = this;
    const lowAbove = program.load(lowWord(index), program.jump(lowCode, low(value), onTrue, onFalse));
    if (width === 32) return lowAbove;
    const highEqual = program.jump(JEQ, high(value), lowAbove, onFalse);
    return program.load(highWord(index), program.jump(JGT, high(value), onTrue, highEqual));
  }

  #maskedEqual({ index, value: mask, valueTwo }: Condition, onTrue: Label, onFalse: Label): Label {
    const { program } = this;
    const lowTest = program.and(low(mask), program.jump(JEQ, low(valueTwo), onTrue, onFalse));
    const lowEqual = program.load(lowWord(index), lowTest);
    if (high(mask) === 0 && high(valueTwo) === 0) return lowEqual;
    const highTest = program.and(high(mask), program.jump(JEQ, high(valueTwo), lowEqual, onFalse));
    return program.load(highWord(index), highTest);
  }
}

/** Where to cut so that both halves are called about equally often: often called numbers end up near the root. */
function weightedMiddle(segments: readonly Segment[]): number {
  const total = segments.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  for (const [index, { weight }] of segments.entries()) {
    // Cut on the side that leaves the halves more equal, and never leave one empty.
    if (before + weight / 2 >= total / 2) return Math.min(Math.max(index, 1), segments.length - 1);
    before += weight;
  }
  return segments.length - 1;
}

function lowWord(index: number): number {
  return ARGS + index * 8;
}

function highWord(index: number): number {
  return lowWord(index) + 4;
}

function low(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

function high(value: bigint): number {
  return Number(value >> 32n);
}
