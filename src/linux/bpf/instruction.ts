// eBPF instructions (Documentation/bpf/standardization/instruction-set.rst): those that a device filter is made of. Pure.

/** One instruction, with its fields as the kernel's struct bpf_insn has them. `off` counts instructions from the next one. */
export type BpfInstruction = {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
};

/** Operation codes: class, operation and source in one byte. The `32` ones work on the lower half of a register. */
export const BPF_CODES = {
  BPF_LDX_W: 0x61,
  BPF_MOV32: 0xb4,
  BPF_AND32: 0x54,
  BPF_RSH32: 0x74,
  BPF_JA: 0x05,
  BPF_JNE32: 0x56,
  BPF_JSET32: 0x46,
  BPF_EXIT: 0x95,
} as const;

const SIZEOF_INSTRUCTION = 8;
const { BPF_LDX_W, BPF_MOV32, BPF_AND32, BPF_RSH32, BPF_JA, BPF_JNE32, BPF_JSET32, BPF_EXIT } = BPF_CODES;

/** `w<dst> = *(u32 *)(r<src> + off)` */
export function load(dst: number, src: number, off: number): BpfInstruction {
  return { code: BPF_LDX_W, dst, src, off, imm: 0 };
}

/** `w<dst> = imm` */
export function move(dst: number, imm: number): BpfInstruction {
  return { code: BPF_MOV32, dst, src: 0, off: 0, imm };
}

/** `w<dst> &= imm` */
export function and(dst: number, imm: number): BpfInstruction {
  return { code: BPF_AND32, dst, src: 0, off: 0, imm };
}

/** `w<dst> >>= imm` */
export function shiftRight(dst: number, imm: number): BpfInstruction {
  return { code: BPF_RSH32, dst, src: 0, off: 0, imm };
}

/** `if w<dst> != imm goto +off` */
export function jumpUnlessEqual(dst: number, imm: number, off: number): BpfInstruction {
  return { code: BPF_JNE32, dst, src: 0, off, imm };
}

/** `if w<dst> & imm goto +off` */
export function jumpIfAny(dst: number, imm: number, off: number): BpfInstruction {
  return { code: BPF_JSET32, dst, src: 0, off, imm };
}

/** `goto +off` */
export function jump(off: number): BpfInstruction {
  return { code: BPF_JA, dst: 0, src: 0, off, imm: 0 };
}

/** The end; the result is in w0. */
export const exit: BpfInstruction = { code: BPF_EXIT, dst: 0, src: 0, off: 0, imm: 0 };

/** The bytes that bpf(2) takes. Throws a RangeError on a jump that its field cannot hold. */
export function encodeProgram(program: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * SIZEOF_INSTRUCTION);
  for (const [index, { code, dst, src, off, imm }] of program.entries()) {
    const at = index * SIZEOF_INSTRUCTION;
    bytes.writeUInt8(code, at);
    bytes.writeUInt8((src << 4) | dst, at + 1);
    bytes.writeInt16LE(off, at + 2);
    bytes.writeUInt32LE(imm >>> 0, at + 4);
  }
  return bytes;
}

/** A line per instruction, written as bpftool(8) writes them. */
export function printProgram(program: readonly BpfInstruction[]): string {
  return program.map((instruction, index) => `${`${index}`.padStart(4)}: ${printInstruction(instruction)}\n`).join('');
}

function printInstruction({ code, dst, src, off, imm }: BpfInstruction): string {
  const [register, number] = [`w${dst}`, `${imm >>> 0}`];
  switch (code) {
    case BPF_LDX_W:
      return `${register} = *(u32 *)(r${src} +${off})`;
    case BPF_MOV32:
      return `${register} = ${number}`;
    case BPF_AND32:
      return `${register} &= 0x${(imm >>> 0).toString(16)}`;
    case BPF_RSH32:
      return `${register} >>= ${number}`;
    case BPF_JA:
      return `goto +${off}`;
    case BPF_JNE32:
      return `if ${register} != ${number} goto +${off}`;
    case BPF_JSET32:
      return `if ${register} & ${number} goto +${off}`;
    case BPF_EXIT:
      return 'exit';
    default:
      return `unknown 0x${code.toString(16)}`;
  }
}
