// Runs a device filter as the kernel would, on its bytes: the instructions that it is made of, and no others.
import { BPF_CODES } from '../../../src/linux/bpf/instruction.ts';

/** struct bpf_cgroup_dev_ctx (linux/bpf.h). */
export type DeviceContext = {
  readonly access: number;
  readonly type: number;
  readonly major: number;
  readonly minor: number;
};

/** The result in r0. Throws on an instruction out of bounds, or that is none of these. */
export function interpret(bytes: Buffer, { access, type, major, minor }: DeviceContext): number {
  const context = [((access << 16) | type) >>> 0, major, minor];
  const registers = Array.from({ length: 11 }, () => 0);
  for (let at = 0; ; at += 1) {
    if (at < 0 || at * 8 >= bytes.length) throw new Error(`instruction ${at} is out of the program`);
    const [code, dst] = [bytes.readUInt8(at * 8), bytes.readUInt8(at * 8 + 1) & 15];
    const [off, imm] = [bytes.readInt16LE(at * 8 + 2), bytes.readUInt32LE(at * 8 + 4)];
    const value = registers[dst] ?? 0;
    if (code === BPF_CODES.BPF_EXIT) return registers[0] ?? 0;
    else if (code === BPF_CODES.BPF_LDX_W) registers[dst] = context[off / 4] ?? 0;
    else if (code === BPF_CODES.BPF_MOV32) registers[dst] = imm;
    else if (code === BPF_CODES.BPF_AND32) registers[dst] = (value & imm) >>> 0;
    else if (code === BPF_CODES.BPF_RSH32) registers[dst] = value >>> imm;
    else if (code === BPF_CODES.BPF_JA) at += off;
    else if (code === BPF_CODES.BPF_JNE32) at += value === imm ? 0 : off;
    else if (code === BPF_CODES.BPF_JSET32) at += (value & imm) === 0 ? 0 : off;
    else throw new Error(`instruction ${at} is unknown: 0x${code.toString(16)}`);
  }
}

/** Instructions that no path from the first one reaches: the kernel's verifier refuses a program that has any. */
export function unreachable(bytes: Buffer): number[] {
  const count = bytes.length / 8;
  const reached = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at >= count || reached.has(at)) continue;
    reached.add(at);
    const [code, off] = [bytes.readUInt8(at * 8), bytes.readInt16LE(at * 8 + 2)];
    if (code === BPF_CODES.BPF_EXIT) continue;
    if (code !== BPF_CODES.BPF_JA) open.push(at + 1);
    if (code === BPF_CODES.BPF_JA || code === BPF_CODES.BPF_JNE32 || code === BPF_CODES.BPF_JSET32)
      open.push(at + 1 + off);
  }
  return Array.from({ length: count }, (_, index) => index).filter((index) => !reached.has(index));
}
