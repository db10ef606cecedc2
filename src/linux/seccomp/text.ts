// A filter as text, for people and golden files: the notation of the kernel's bpf_dbg, with names beside numbers.
import { errnoName } from '../errno.ts';
import { type SyscallAbi, syscallName, X32_SYSCALL_BIT } from '../syscall-numbers.ts';
import { AND, type Instruction, JA, JEQ, JGE, JGT, LD, parseProgram, RET } from './assembler.ts';
import { AUDIT_ARCH } from './compile.ts';
import * as seccomp from './profile.ts';

const JUMPS: ReadonlyMap<number, string> = new Map([
  [JEQ, 'jeq'],
  [JGT, 'jgt'],
  [JGE, 'jge'],
]);

const RESULTS: ReadonlyMap<number, string> = new Map([
  [seccomp.SECCOMP_RET_KILL_PROCESS, 'KILL_PROCESS'],
  [seccomp.SECCOMP_RET_KILL_THREAD, 'KILL_THREAD'],
  [seccomp.SECCOMP_RET_TRAP, 'TRAP'],
  [seccomp.SECCOMP_RET_ERRNO, 'ERRNO'],
  [seccomp.SECCOMP_RET_USER_NOTIF, 'USER_NOTIF'],
  [seccomp.SECCOMP_RET_TRACE, 'TRACE'],
  [seccomp.SECCOMP_RET_LOG, 'LOG'],
  [seccomp.SECCOMP_RET_ALLOW, 'ALLOW'],
]);

/** Print a filter, one instruction a line: `index: operation`, jump targets as indexes, what a number means after `;`. */
export function formatFilter(program: Buffer): string {
  const instructions = parseProgram(program);
  const meanings = meaningsOf(instructions);
  return instructions
    .map((instruction, index) => {
      const meaning = meanings[index];
      const text = `${pad(index)}: ${formatInstruction(instruction, index)}`;
      return meaning === undefined ? `${text}\n` : `${text} ; ${meaning}\n`;
    })
    .join('');
}

/** What a filter returns, as text: `ALLOW`, `ERRNO(EPERM)`. */
export function formatResult(result: number): string {
  const action = (result & seccomp.SECCOMP_RET_ACTION_FULL) >>> 0;
  const data = result & seccomp.SECCOMP_RET_DATA;
  const name = RESULTS.get(action) ?? `0x${action.toString(16)}`;
  if (action === seccomp.SECCOMP_RET_ERRNO) return `${name}(${errnoName(data)})`;
  return data === 0 ? name : `${name}(${data})`;
}

function formatInstruction({ code, jt, jf, k }: Instruction, index: number): string {
  const jump = JUMPS.get(code);
  if (jump !== undefined) return `${jump} 0x${k.toString(16)} ${pad(index + 1 + jt)} else ${pad(index + 1 + jf)}`;
  if (code === LD) return `ld [${k}]`;
  if (code === AND) return `and 0x${k.toString(16)}`;
  if (code === JA) return `ja ${pad(index + 1 + k)}`;
  if (code === RET) return `ret ${formatResult(k)}`;
  return `unknown 0x${code.toString(16)} ${jt} ${jf} 0x${k.toString(16)}`;
}

function pad(index: number): string {
  return String(index).padStart(4, '0');
}

/** Follow every path to know what the accumulator holds at each comparison: the architecture, a number, an argument. */
function meaningsOf(instructions: readonly Instruction[]): (string | undefined)[] {
  const meanings: (string | undefined)[] = instructions.map(() => undefined);
  const seen = new Set<number>();
  const visit = (index: number, holds: string, abi: SyscallAbi | undefined): void => {
    const instruction = instructions[index];
    if (instruction === undefined || seen.has(index)) return;
    seen.add(index);
    const { code, jt, jf, k } = instruction;
    if (code === RET) return;
    if (code === JA) return visit(index + 1 + k, holds, abi);
    if (code === LD) {
      const loaded = loadName(k);
      meanings[index] = loaded;
      return visit(index + 1, loaded, abi);
    }
    if (!JUMPS.has(code)) return visit(index + 1, holds, abi);
    const arch = holds === 'arch' ? archOf(k) : undefined;
    if (arch !== undefined) meanings[index] = arch;
    if (holds === 'nr' && abi !== undefined) meanings[index] = callName(abi, k);
    visit(index + 1 + jt, holds, arch ?? abi);
    visit(index + 1 + jf, holds, abi);
  };
  visit(0, '', undefined);
  return meanings;
}

function callName(abi: SyscallAbi, number: number): string {
  return syscallName(abi === 'x64' && number >= X32_SYSCALL_BIT ? 'x32' : abi, number);
}

function loadName(offset: number): string {
  if (offset === 0) return 'nr';
  if (offset === 4) return 'arch';
  const argument = Math.floor((offset - 16) / 8);
  return `args[${argument}] ${offset % 8 === 0 ? 'low' : 'high'}`;
}

function archOf(value: number): SyscallAbi | undefined {
  return (['x64', 'ia32', 'arm64', 'arm'] as const).find((abi) => AUDIT_ARCH[abi] === value);
}
