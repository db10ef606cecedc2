// Classic BPF as seccomp(2) accepts it: instructions, and an assembler that writes a program from its end to its start.
// Jumps only go forward, so every target is known when its jump is written and offsets need no second pass.

/** `struct sock_filter`. */
export type Instruction = { readonly code: number; readonly jt: number; readonly jf: number; readonly k: number };

/** Where an instruction is: its distance from the end of the program. Labels stay valid while code is put in front. */
export type Label = number;

// BPF_LD|BPF_W|BPF_ABS, BPF_ALU|BPF_AND|BPF_K, BPF_JMP|…|BPF_K, BPF_RET|BPF_K of <linux/bpf_common.h>.
export const LD = 0x20;
export const AND = 0x54;
export const JA = 0x05;
export const JEQ = 0x15;
export const JGT = 0x25;
export const JGE = 0x35;
export const RET = 0x06;

const BPF_MAXINSNS = 4096;
const INSTRUCTION_BYTES = 8;
// jt and jf are bytes; a farther target is reached by a JA, whose offset has 32 bits.
const FARTHEST = 255;

/** Owns one program under construction. */
export class Assembler {
  /** The program, last instruction first. */
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** Return `value` from the filter. */
  ret(value: number): Label {
    return this.#returns.get(value) ?? this.#push({ code: RET, jt: 0, jf: 0, k: value });
  }

  /** Compare the accumulator with `k` and go on at one of two labels. */
  jump(code: number, k: number, onTrue: Label, onFalse: Label): Label {
    if (onTrue === onFalse) return onTrue;
    // The way to the second target may put one more instruction in front of the first.
    const falseLabel = this.#near(onFalse, FARTHEST - 1);
    const trueLabel = this.#near(onTrue, FARTHEST);
    return this.#push({ code, jt: this.#offset(trueLabel), jf: this.#offset(falseLabel), k });
  }

  /** Load the 32-bit word at `offset` of `struct seccomp_data`, then go on at `next`. */
  load(offset: number, next: Label): Label {
    return this.#before(LD, offset, next);
  }

  /** Keep the accumulator's bits that are in `mask`, then go on at `next`. */
  and(mask: number, next: Label): Label {
    return this.#before(AND, mask, next);
  }

  /** The program as an array of `struct sock_filter`, starting at `entry`. Throws a RangeError when it is too long. */
  finish(entry: Label): Buffer {
    this.#near(entry, 0);
    const length = this.#reversed.length;
    if (length > BPF_MAXINSNS) {
      throw new RangeError(`The seccomp filter has ${length} instructions, Linux takes ${BPF_MAXINSNS}`);
    }
    const bytes = Buffer.alloc(length * INSTRUCTION_BYTES);
    for (const [label, { code, jt, jf, k }] of this.#reversed.entries()) {
      const at = (length - 1 - label) * INSTRUCTION_BYTES;
      bytes.writeUInt16LE(code, at);
      bytes.writeUInt8(jt, at + 2);
      bytes.writeUInt8(jf, at + 3);
      bytes.writeUInt32LE(k, at + 4);
    }
    return bytes;
  }

  #push(instruction: Instruction): Label {
    const label = this.#reversed.push(instruction) - 1;
    if (instruction.code === RET) this.#returns.set(instruction.k, label);
    return label;
  }

  #before(code: number, k: number, next: Label): Label {
    this.#near(next, 0);
    return this.#push({ code, jt: 0, jf: 0, k });
  }

  /** How many instructions lie between the one written next and `target`. */
  #offset(target: Label): number {
    return this.#reversed.length - 1 - target;
  }

  /** A label at most `farthest` away that does what `target` does: itself, a copy of its RET, or a JA to it. */
  #near(target: Label, farthest: number): Label {
    if (this.#offset(target) <= farthest) return target;
    const instruction = this.#reversed[target];
    if (instruction?.code === RET) return this.#push(instruction);
    return this.#push({ code: JA, jt: 0, jf: 0, k: this.#offset(target) });
  }
}

/** Read a program back into instructions. Throws a RangeError when the length is no multiple of 8. */
export function parseProgram(program: Buffer): Instruction[] {
  if (program.length % INSTRUCTION_BYTES !== 0) {
    throw new RangeError(`A BPF program is a multiple of ${INSTRUCTION_BYTES} bytes, not ${program.length}`);
  }
  return Array.from({ length: program.length / INSTRUCTION_BYTES }, (_, index) => {
    const at = index * INSTRUCTION_BYTES;
    return {
      code: program.readUInt16LE(at),
      jt: program.readUInt8(at + 2),
      jf: program.readUInt8(at + 3),
      k: program.readUInt32LE(at + 4),
    };
  });
}
