// The interpreter of a tape: a loop that makes one system call per operation. No stack, no libc, no memory but the tape.
// Assembled by hand; test/linux/tape/machine-code.test.ts assembles the mnemonics again where binutils exist, and compares.
//
// One operation is 80 bytes:
//   +0 nr  +8 a0  +16 a1  +24 a2  +32 a3  +40 a4  +48 a5  +56 save (address)  +64 onError (address or 0)  +72 onZero (address or 0)
// The failure record is 16 bytes at FAILURE_ADDRESS: address of the operation that failed last, its result.

export type Architecture = 'x64' | 'arm64';

/** Where the code page is mapped. */
export const CODE_ADDRESS = 0x400000;
/** Where the data begins: 64 KiB and a page above, so that it is right for pages of 4, 16 and 64 KiB. */
export const DATA_ADDRESS = 0x411000;
export const FAILURE_ADDRESS: number = DATA_ADDRESS;
/** Results that nobody reads go here. */
export const SCRATCH_ADDRESS: number = DATA_ADDRESS + 16;
export const FIRST_OPERATION_ADDRESS: number = DATA_ADDRESS + 32;
export const OPERATION_SIZE = 80;

/** One instruction: its bytes in hex as they lie in memory, and its mnemonic (GNU as; Intel syntax on x64). */
export type Instruction = readonly [hex: string, mnemonic: string];

const X64: readonly Instruction[] = [
  ['bb20104100', 'mov ebx, 0x411020'],
  ['bd00104100', 'mov ebp, 0x411000'],
  ['', 'loop:'],
  ['488b03', 'mov rax, [rbx]'],
  ['488b7b08', 'mov rdi, [rbx+8]'],
  ['488b7310', 'mov rsi, [rbx+16]'],
  ['488b5318', 'mov rdx, [rbx+24]'],
  ['4c8b5320', 'mov r10, [rbx+32]'],
  ['4c8b4328', 'mov r8, [rbx+40]'],
  ['4c8b4b30', 'mov r9, [rbx+48]'],
  ['0f05', 'syscall'],
  ['488b4b38', 'mov rcx, [rbx+56]'],
  ['488901', 'mov [rcx], rax'],
  ['488b4b48', 'mov rcx, [rbx+72]'],
  ['4885c0', 'test rax, rax'],
  ['740e', 'jz branch'],
  ['7916', 'jns next'],
  ['48895d00', 'mov [rbp+0], rbx'],
  ['48894508', 'mov [rbp+8], rax'],
  ['488b4b40', 'mov rcx, [rbx+64]'],
  ['', 'branch:'],
  ['4885c9', 'test rcx, rcx'],
  ['7405', 'jz next'],
  ['4889cb', 'mov rbx, rcx'],
  ['ebbb', 'jmp loop'],
  ['', 'next:'],
  ['4883c350', 'add rbx, 80'],
  ['ebb5', 'jmp loop'],
];

const ARM64: readonly Instruction[] = [
  ['130482d2', 'movz x19, #0x1020'],
  ['3308a0f2', 'movk x19, #0x41, lsl #16'],
  ['140082d2', 'movz x20, #0x1000'],
  ['3408a0f2', 'movk x20, #0x41, lsl #16'],
  ['', 'loop:'],
  ['680240a9', 'ldp x8, x0, [x19]'],
  ['610a41a9', 'ldp x1, x2, [x19, #16]'],
  ['631242a9', 'ldp x3, x4, [x19, #32]'],
  ['651a40f9', 'ldr x5, [x19, #48]'],
  ['010000d4', 'svc #0'],
  ['691e40f9', 'ldr x9, [x19, #56]'],
  ['200100f9', 'str x0, [x9]'],
  ['692640f9', 'ldr x9, [x19, #72]'],
  ['800000b4', 'cbz x0, branch'],
  ['c000f8b6', 'tbz x0, #63, next'],
  ['930200a9', 'stp x19, x0, [x20]'],
  ['692240f9', 'ldr x9, [x19, #64]'],
  ['', 'branch:'],
  ['690000b4', 'cbz x9, next'],
  ['f30309aa', 'mov x19, x9'],
  ['f2ffff17', 'b loop'],
  ['', 'next:'],
  ['73420191', 'add x19, x19, #80'],
  ['f0ffff17', 'b loop'],
];

/** The instructions of each architecture, labels included (with empty bytes). */
export const LISTING: Readonly<Record<Architecture, readonly Instruction[]>> = { x64: X64, arm64: ARM64 };

/** The interpreter's bytes for one architecture. */
export function machineCode(architecture: Architecture): Buffer {
  return Buffer.from(LISTING[architecture].map(([hex]) => hex).join(''), 'hex');
}

/** The architecture berth runs on. Throws on any other than x64 and arm64. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new Error(`No tape machine code for ${process.arch}: berth runs on x64 and arm64`);
}
