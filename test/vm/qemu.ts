// Boot a kernel with an initramfs in qemu; its serial ports are how the machine talks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Machine = {
  readonly kernel: string;
  readonly initramfs: string;
  /** For the files behind the serial ports. */
  readonly directory: string;
  readonly memoryMiB: number;
  readonly processors: number;
  /** `tcg` interprets and works everywhere; `kvm` needs a /dev/kvm that works. */
  readonly accelerator: 'kvm' | 'tcg';
  readonly timeoutSeconds: number;
};

// Under tcg it takes six seconds.
const BOOT_SECONDS = { kvm: 10, tcg: 120 } as const;
const POLL_MS = 200;

/**
 * How it ended. `code` is that of the command, undefined when the machine never said; then `console` tells why. `booted`:
 * whether it came as far as its first process.
 */
export type MachineEnd = {
  readonly booted: boolean;
  readonly code: number | undefined;
  readonly stderr: string;
  readonly console: string;
};

/** The command line: no devices but four serial ports, and the end at a panic or when the machine switches itself off. Pure. */
export function qemuArguments({ accelerator, ...machine }: Machine): string[] {
  const append = 'console=ttyS0 quiet panic=-1 random.trust_cpu=on mitigations=off swapaccount=1';
  const file = (name: string): string[] => ['-serial', `file:${join(machine.directory, name)}`];
  const devices = '-nodefaults -no-user-config -display none -no-reboot -machine q35'.split(' ');
  const processor = accelerator === 'tcg' ? '-accel tcg,thread=multi -cpu max' : '-accel kvm -cpu host';
  const size = ['-smp', `${machine.processors}`, '-m', `${machine.memoryMiB}`];
  const boot = ['-kernel', machine.kernel, '-initrd', machine.initramfs, '-append', append];
  const output = ['-chardev', 'stdio,id=output,signal=off', '-serial', 'chardev:output'];
  return [devices, processor.split(' '), size, boot, file('console'), output, file('stderr'), file('code')].flat();
}

/**
 * Run the machine to its end; the command's standard output goes to this process's as it comes. It is stopped when it does
 * not boot, or not end, in time, and when `signal` says so. Throws when qemu cannot be started.
 */
export async function runMachine(machine: Machine, signal: AbortSignal): Promise<MachineEnd> {
  const { accelerator, timeoutSeconds } = machine;
  const qemu = spawn('qemu-system-x86_64', qemuArguments(machine), { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(qemu, 'exit');
  const started = performance.now();
  const late = setInterval(() => {
    const seconds = (performance.now() - started) / 1000;
    const limit = portOf(machine, 'code').startsWith('booted') ? timeoutSeconds : BOOT_SECONDS[accelerator];
    if (signal.aborted || seconds > limit) qemu.kill('SIGKILL');
  }, POLL_MS);
  try {
    await exited;
  } finally {
    clearInterval(late);
  }
  const [, booted, code] = /^(booted)?\s*(\d+)?/.exec(portOf(machine, 'code')) ?? [];
  return {
    booted: booted !== undefined,
    code: code === undefined ? undefined : Number(code),
    stderr: portOf(machine, 'stderr'),
    console: portOf(machine, 'console'),
  };
}

function portOf({ directory }: Machine, name: string): string {
  const path = join(directory, name);
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}
