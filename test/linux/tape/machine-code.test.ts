// The committed bytes are what the mnemonics beside them say: assembled again where GNU binutils exist.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import { elfExecutable } from '../../../src/linux/tape/elf.ts';
import { FAILED_EXIT_CODE } from '../../../src/linux/tape/run.ts';
import {
  DATA_ADDRESS,
  FIRST_OPERATION_ADDRESS,
  LISTING,
  machineCode,
  OPERATION_SIZE,
  type Architecture,
} from '../../../src/linux/tape/machine-code.ts';
import { result, text, value } from '../../../src/linux/tape/operation.ts';
import { exitGroup } from '../../../src/linux/tape/blocks.ts';
import { helloTape, tapeOf } from './sample-tape.ts';

const stdout = value(1, 'stdout');

type Tools = {
  readonly as: string;
  readonly objcopy: string;
  readonly flags: readonly string[];
  readonly head: string;
};

/** A program of the PATH as the machine has it, or undefined. */
function program(...names: readonly string[]): string | undefined {
  return names.flatMap((name) => ['/usr/bin', '/usr/local/bin'].map((path) => join(path, name))).find(existsSync);
}

function toolsFor(architecture: Architecture): Tools | undefined {
  const prefix = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[architecture];
  const native = process.arch === architecture;
  const as = program(`${prefix}-as`, ...(native ? ['as'] : []));
  const objcopy = program(`${prefix}-objcopy`, ...(native ? ['objcopy'] : []));
  if (as === undefined || objcopy === undefined) return undefined;
  return { as, objcopy, flags: [], head: architecture === 'x64' ? '.intel_syntax noprefix\n' : '' };
}

function assembleAgain({ as, objcopy, flags, head }: Tools, source: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'berth-as-'));
  try {
    const path = (name: string): string => join(directory, name);
    writeFileSync(path('code.s'), `${head}${source}\n`);
    execFileSync(as, [...flags, '-o', path('code.o'), path('code.s')]);
    execFileSync(objcopy, ['-O', 'binary', '-j', '.text', path('code.o'), path('code.bin')]);
    return readFileSync(path('code.bin'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const architecture of ['x64', 'arm64'] as const) {
  const tools = toolsFor(architecture);
  const runs = tools === undefined ? test.skip : test;
  const why = tools === undefined ? ' (skipped: no binutils for it here)' : '';
  runs(`${architecture}: the bytes are what GNU as makes of the mnemonics${why}`, (t) => {
    t.is(
      tools === undefined ? '' : assembleAgain(tools, mnemonics(architecture)).toString('hex'),
      machineCode(architecture).toString('hex'),
    );
  });
}

function mnemonics(architecture: Architecture): string {
  return LISTING[architecture].map(([, mnemonic]) => mnemonic).join('\n');
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

test('the code agrees with the layout: operation size, first operation, failure record', (t) => {
  t.true(mnemonics('x64').includes(`mov ebx, ${hex(FIRST_OPERATION_ADDRESS)}\nmov ebp, ${hex(DATA_ADDRESS)}`));
  t.true(mnemonics('x64').includes(`add rbx, ${OPERATION_SIZE}`));
  t.true(mnemonics('arm64').includes(`movz x19, #${hex(FIRST_OPERATION_ADDRESS % 65536)}`));
  t.true(mnemonics('arm64').includes(`movz x20, #${hex(DATA_ADDRESS % 65536)}`));
  t.true(mnemonics('arm64').includes(`add x19, x19, #${OPERATION_SIZE}`));
});

const QEMU: Readonly<Record<Architecture, string>> = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' };

type Ended = { readonly output: string; readonly code: number };

/** Run an ELF file of either architecture: by the kernel, or by qemu's user mode. */
function runElf(elf: Buffer, emulator: string | undefined): Ended {
  const directory = mkdtempSync(join(tmpdir(), 'berth-elf-'));
  const file = join(directory, 'tape');
  try {
    writeFileSync(file, elf, { mode: 0o755 });
    const [command, args] = emulator === undefined ? [file, []] : [emulator, [file]];
    return { output: execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }), code: 0 };
  } catch (error) {
    const { status, stdout: output } = error as { status: number | null; stdout: string };
    if (status === null) throw error;
    return { output, code: status };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const architecture of ['x64', 'arm64'] as const) {
  const emulator = process.arch === architecture ? undefined : program(QEMU[architecture]);
  const can = process.arch === architecture || emulator !== undefined;
  const runs = can ? test : test.skip;
  const how = can ? (emulator === undefined ? '' : ' (emulated)') : ` (skipped: no ${QEMU[architecture]} here)`;
  const run = (tape: ReturnType<typeof tapeOf>): Ended =>
    runElf(elfExecutable(architecture, assemble(tape, architecture, 65536).data), emulator);

  runs(`${architecture}: a tape writes and exits with its code${how}`, (t) => {
    t.deepEqual(run(helloTape('hello from a tape\n', stdout)), { output: 'hello from a tape\n', code: 0 });
    t.deepEqual(run(tapeOf(exitGroup(42))), { output: '', code: 42 });
  });

  runs(`${architecture}: a result becomes an argument, zero and errors jump${how}`, (t) => {
    const fd = result('fd');
    const copy = result('copy');
    const tape = {
      name: 'jumps',
      blocks: [
        {
          label: 'main',
          zone: 'parent',
          operations: [
            { call: 'dup', args: [stdout], save: fd, what: 'copy stdout' },
            { call: 'write', args: [fd, text('one '), 4], what: 'write to the copy' },
            { call: 'close', args: [99], what: 'fail, and go on', onError: 'next' },
            { call: 'dup', args: [99], save: copy, what: 'fail, and jump', onError: 'failed' },
            { call: 'close', args: [copy], what: 'never get here' },
          ],
        },
        {
          label: 'failed',
          zone: 'parent',
          operations: [
            { call: 'write', args: [stdout, text('two '), 4], what: 'write' },
            { call: 'prctl', args: [39, 0, 0, 0, 0], what: 'return zero', onZero: 'zero' },
            exitGroup(3),
          ],
        },
        {
          label: 'zero',
          zone: 'child',
          operations: [{ call: 'write', args: [stdout, text('three'), 5], what: 'write' }, exitGroup(0)],
        },
        { label: 'fail', zone: 'parent', operations: [exitGroup(FAILED_EXIT_CODE)] },
      ],
    } as const;
    t.deepEqual(run(tape), { output: 'one two three', code: 0 });
  });
}
