// A static ELF executable around a tape: elf(5). Two segments, code R-X and data RW-, and a stack that is not executable.
import { CODE_ADDRESS, DATA_ADDRESS, machineCode, type Architecture } from './machine-code.ts';

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const DATA_OFFSET = 0x1000;
const ALIGNMENT = 0x10000n; // holds for pages of 4, 16 and 64 KiB

const MACHINE: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 }; // EM_X86_64, EM_AARCH64
const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

type Segment = {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
};

function programHeader({ type, flags, offset, address, size }: Segment): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_SIZE);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(flags, 4);
  header.writeBigUInt64LE(BigInt(offset), 8);
  header.writeBigUInt64LE(BigInt(address), 16);
  header.writeBigUInt64LE(BigInt(address), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  header.writeBigUInt64LE(BigInt(size), 40);
  header.writeBigUInt64LE(type === PT_LOAD ? ALIGNMENT : 16n, 48);
  return header;
}

/** The bytes of an executable that runs the tape whose assembled memory is `data`. */
export function elfExecutable(architecture: Architecture, data: Buffer): Buffer {
  const code = machineCode(architecture);
  const segments: readonly Segment[] = [
    {
      type: PT_LOAD,
      flags: PF_R | PF_X,
      offset: 0,
      address: CODE_ADDRESS,
      size: HEADER_SIZE + 3 * PROGRAM_HEADER_SIZE + code.length,
    },
    { type: PT_LOAD, flags: PF_R | PF_W, offset: DATA_OFFSET, address: DATA_ADDRESS, size: data.length },
    { type: PT_GNU_STACK, flags: PF_R | PF_W, offset: 0, address: 0, size: 0 },
  ];
  const codeOffset = HEADER_SIZE + segments.length * PROGRAM_HEADER_SIZE;
  const header = Buffer.alloc(HEADER_SIZE);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT
  header.writeUInt16LE(ET_EXEC, 16);
  header.writeUInt16LE(MACHINE[architecture], 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(CODE_ADDRESS + codeOffset), 24); // e_entry
  header.writeBigUInt64LE(BigInt(HEADER_SIZE), 32); // e_phoff
  header.writeUInt16LE(HEADER_SIZE, 52);
  header.writeUInt16LE(PROGRAM_HEADER_SIZE, 54);
  header.writeUInt16LE(segments.length, 56);
  const image = Buffer.alloc(DATA_OFFSET + data.length);
  Buffer.concat([header, ...segments.map(programHeader), code]).copy(image);
  data.copy(image, DATA_OFFSET);
  return image;
}
