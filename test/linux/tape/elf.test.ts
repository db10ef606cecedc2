import test from 'ava';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import { elfExecutable } from '../../../src/linux/tape/elf.ts';
import { CODE_ADDRESS, DATA_ADDRESS, machineCode, type Architecture } from '../../../src/linux/tape/machine-code.ts';
import { helloTape } from './sample-tape.ts';

const HEADER = 64;
const PROGRAM_HEADER = 56;
const LARGEST_PAGE = 65536;

type Segment = { readonly type: number; readonly flags: number; readonly fields: readonly number[] };

/** Offset, virtual and physical address, size in the file and in memory, alignment. */
function segmentsOf(elf: Buffer): Segment[] {
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const at = HEADER + index * PROGRAM_HEADER;
    const fields = [8, 16, 24, 32, 40, 48].map((offset) => Number(elf.readBigUInt64LE(at + offset)));
    return { type: elf.readUInt32LE(at), flags: elf.readUInt32LE(at + 4), fields };
  });
}

for (const [architecture, machine] of [
  ['x64', 62],
  ['arm64', 183],
] as const satisfies readonly (readonly [Architecture, number])[]) {
  const { data } = assemble(helloTape('hello'), architecture);
  const elf = elfExecutable(architecture, data);

  test(`${architecture}: the header says executable, 64 bits, little endian, this machine`, (t) => {
    t.deepEqual([...elf.subarray(0, 7)], [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    t.is(elf.readUInt16LE(16), 2, 'ET_EXEC');
    t.is(elf.readUInt16LE(18), machine);
    t.is(elf.readUInt16LE(52), HEADER);
    t.is(elf.readUInt16LE(54), PROGRAM_HEADER);
  });

  test(`${architecture}: code is never writable, data and stack are never executable`, (t) => {
    const [code, memory, stack] = segmentsOf(elf);
    t.is(code?.flags, 4 | 1);
    t.is(memory?.flags, 4 | 2);
    t.is(stack?.type, 0x6474e551, 'PT_GNU_STACK');
    t.is(stack?.flags, 4 | 2);
  });

  test(`${architecture}: the entry is the first instruction`, (t) => {
    const entry = Number(elf.readBigUInt64LE(24)) - CODE_ADDRESS;
    const code = machineCode(architecture);
    t.deepEqual(elf.subarray(entry, entry + code.length), code);
    t.is(segmentsOf(elf)[0]?.fields[3], entry + code.length, 'and the segment ends with the last');
  });

  test(`${architecture}: the data lies where the tape's pointers say, for pages up to 64 KiB`, (t) => {
    const [code, memory] = segmentsOf(elf);
    const [offset = 0, address = 0, , fileSize, memorySize] = memory?.fields ?? [];
    t.is(address, DATA_ADDRESS);
    t.is(fileSize, data.length);
    t.is(memorySize, data.length);
    t.deepEqual(elf.subarray(offset), data);
    t.is(offset % LARGEST_PAGE, address % LARGEST_PAGE, 'mmap wants offset and address equal modulo the page');
    const codeEnd = CODE_ADDRESS + (code?.fields[4] ?? 0);
    t.true(Math.ceil(codeEnd / LARGEST_PAGE) * LARGEST_PAGE <= Math.floor(address / LARGEST_PAGE) * LARGEST_PAGE);
  });
}
