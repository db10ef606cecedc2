// System tests on another kernel: Debian 12's, with unified cgroup v2 and every controller, in qemu.
//
//   node test/vm/main.ts [--short] [--tap] [--accel kvm|tcg] [--command 'SHELL SCRIPT'] [TEST FILE…]
//
// Makes an initramfs of this checkout, boots it, runs the tests there, and exits with their code. Needs qemu-system-x86,
// busybox-static and apt (for the kernel, which is unpacked below node_modules/.cache and not installed).
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { writeCpio } from './cpio.ts';
import { debianKernel } from './kernel.ts';
import { machineFiles } from './machine-files.ts';
import { type Machine, type MachineEnd, runMachine } from './qemu.ts';
import { testCommand } from './test-command.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const MEMORY_MIB = 3072;
const PROCESSORS = 2;
const TIMEOUT_SECONDS = { short: 420, whole: 3600 } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    tap: { type: 'boolean', default: false },
    accel: { type: 'string' },
    command: { type: 'string' },
  },
});

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

const directory = mkdtempSync(join(tmpdir(), 'berth-vm.'));
try {
  const kernel = debianKernel(join(CHECKOUT, 'node_modules/.cache/vm'));
  const initramfs = join(directory, 'initramfs');
  writeCpio(initramfs, machineFiles(CHECKOUT, kernel, values.command ?? testCommand(values, positionals)).entries);
  report(await runOn(accelerators(), { kernel: kernel.image, initramfs }));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Whether /dev/kvm works is only known by using it: a nested machine may have the device and yet not run on it. */
async function runOn(
  [accelerator, ...others]: readonly Machine['accelerator'][],
  images: Pick<Machine, 'kernel' | 'initramfs'>,
): Promise<MachineEnd> {
  if (accelerator === undefined) throw new Error('The virtual machine boots with no accelerator');
  const timeoutSeconds = TIMEOUT_SECONDS[values.short ? 'short' : 'whole'];
  const machine = { ...images, directory, accelerator, timeoutSeconds, memoryMiB: MEMORY_MIB, processors: PROCESSORS };
  const end = await runMachine(machine, stopped.signal);
  if (end.booted || others.length === 0 || stopped.signal.aborted) return end;
  process.stderr.write(`The virtual machine does not boot with ${accelerator}, so it is run with ${others[0]}\n`);
  return await runOn(others, images);
}

function accelerators(): Machine['accelerator'][] {
  if (values.accel === 'kvm' || values.accel === 'tcg') return [values.accel];
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return ['kvm', 'tcg'];
  } catch {
    return ['tcg'];
  }
}

function report({ code, stderr, console }: MachineEnd): void {
  process.stderr.write(stderr);
  process.exitCode = code ?? 1;
  if (code === 0) return;
  process.stderr.write(`--- console of the virtual machine ---\n${console}\n`);
  if (code === undefined) process.stderr.write('The virtual machine ended, or was stopped, before its command did\n');
}
