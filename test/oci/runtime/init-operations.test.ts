import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import { failBlock } from '../../../src/linux/tape/blocks.ts';
import { elfExecutable } from '../../../src/linux/tape/elf.ts';
import type { Architecture } from '../../../src/linux/tape/machine-code.ts';
import { stringVector, text, type Tape } from '../../../src/linux/tape/operation.ts';
import { printTape } from '../../../src/linux/tape/print.ts';
import { initBlocks, startInit } from '../../../src/oci/runtime/init-operations.ts';
import { assertGolden } from '../../assert-golden.ts';
import { findProgram } from '../../system/busybox-bundle.ts';
import { until } from '../../system/in-cgroup.ts';

const QEMU: Readonly<Record<Architecture, string>> = { x64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' };
const MAX_RESIDENT_KIB = 32;

/** Init, and a shell script as its program. */
function tapeOf(script: string): Tape {
  const run = {
    call: 'execve',
    args: [text('/bin/sh'), stringVector(['sh', '-c', script]), stringVector(['PATH=/usr/bin:/bin'])],
    what: 'run a shell',
  };
  const main = { label: 'main', zone: 'parent', operations: [...startInit(), run] } as const;
  return { name: 'init', blocks: [...initBlocks([main]), failBlock('parent')] };
}

test('the tape of an init', (t) => {
  assertGolden(t, 'tape/init.txt', printTape(tapeOf('true')));
});

test('blocks without an init stay as they are', (t) => {
  const block = failBlock('child');
  t.deepEqual(initBlocks([block]), [block]);
});

/** Shell: until init has so many children. */
function wait(children: number): string {
  return `until [ "$(wc -w </proc/$PPID/task/$PPID/children)" = ${children} ]; do sleep 0.05; done; echo ${children}`;
}

type Running = { readonly process: ChildProcess; readonly ended: Promise<{ code: number | null; output: string }> };

for (const architecture of ['x64', 'arm64'] as const) {
  const emulator = process.arch === architecture ? undefined : findProgram(QEMU[architecture]);
  const can = process.arch === architecture || emulator !== undefined;
  const runs = can ? test : test.skip;
  const how = can ? (emulator === undefined ? '' : ' (emulated)') : ` (skipped: no ${QEMU[architecture]} here)`;

  const start = (t: ExecutionContext, script: string): Running => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-init-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'init');
    const elf = elfExecutable(
      architecture,
      assemble(tapeOf(script), architecture, emulator === undefined ? 4096 : 65536).data,
    );
    writeFileSync(file, elf, { mode: 0o755 });
    const [command, args] = emulator === undefined ? [file, []] : [emulator, [file]];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: directory });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    const ended = once(child, 'close').then(([code]) => ({
      code: code as number | null,
      output: String(Buffer.concat(output)),
    }));
    return { process: child, ended };
  };

  const ends = (title: string, script: string, expected: number): void => {
    runs(`${architecture}: init ends with ${title}${how}`, async (t) => {
      t.deepEqual(await start(t, script).ended, { code: expected, output: '' });
    });
  };
  ends('0 as its program does', 'exit 0', 0);
  ends("its program's exit code", 'exit 7', 7);
  ends('the highest exit code', 'exit 255', 255);
  ends('128 and the signal that killed its program', 'kill -KILL $$', 137);
  ends('128 and the signal, where there is a core dump too', 'ulimit -c unlimited; kill -QUIT $$', 131);
  ends("its program's code, not that of an orphan", '(sleep 0.1; exit 9) & (exit 8) & sleep 0.2; exit 4', 4);

  runs(`${architecture}: init forwards signals to its program${how}`, async (t) => {
    const script = 'trap "echo TERM" TERM; trap "echo USR1; exit 3" USR1; echo ready; while :; do sleep 0.05; done';
    const { process: init, ended } = start(t, script);
    if (init.stdout !== null) await once(init.stdout, 'data');
    init.kill('SIGTERM');
    if (init.stdout !== null) await once(init.stdout, 'data');
    init.kill('SIGUSR1');
    t.deepEqual(await ended, { code: 3, output: 'ready\nTERM\nUSR1\n' });
  });

  runs(`${architecture}: the program has no signal blocked, and leads a process group${how}`, async (t) => {
    const script = 'grep SigBlk /proc/self/status; test "$(cut -d" " -f5 /proc/$$/stat)" = $$ && echo leads';
    t.is((await start(t, script).ended).output, 'SigBlk:\t0000000000000000\nleads\n');
  });

  if (can && emulator === undefined) {
    // Not as process 1, it gets orphans as a subreaper, which qemu's user mode does not know of.
    runs(`${architecture}: init reaps orphans`, async (t) => {
      const script = `for _ in 1 2 3; do setsid -f sleep 2; done; ${wait(4)}; ${wait(1)}`;
      t.deepEqual(await start(t, script).ended, { code: 0, output: '4\n1\n' });
    });

    runs(`${architecture}: init needs ${MAX_RESIDENT_KIB} KiB of memory at most`, async (t) => {
      const { process: init, ended } = start(t, 'echo ready; exec sleep 1000');
      if (init.stdout !== null) await once(init.stdout, 'data');
      const readStatus = (): string => readFileSync(`/proc/${init.pid}/status`, 'utf8');
      await until(() => readStatus().startsWith('Name:\tberth-init\n'), 'init has its name');
      const status = readStatus();
      const resident = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]);
      t.true(resident > 0 && resident <= MAX_RESIDENT_KIB, `VmRSS ${resident} KiB`);
      init.kill('SIGTERM');
      t.is((await ended).code, 143);
    });
  }
}
