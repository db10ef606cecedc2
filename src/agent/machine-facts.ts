// The machine in numbers: /proc/stat, /proc/meminfo, /proc/net/dev, the disk below `--root`, names of block devices.
import { readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';

import { isErrno } from '../linux/errno.ts';
import type { MachineSnapshot } from './container-snapshot.ts';
import { parseNetDev } from './net-dev.ts';

/** USER_HZ: what the kernel's interfaces count in, the same on every architecture (time(7)). */
const TICKS_PER_SECOND = 100;
const KIBIBYTE = 1024;
/** The other ends of containers' links: counted where the containers are. */
const CONTAINER_LINK = /^veth/;

/** Everything but the names of the devices. Throws what reading /proc throws. */
export function readMachine(root: string): Omit<MachineSnapshot, 'devices'> {
  const memory = parseMeminfo(readFileSync('/proc/meminfo', 'latin1'));
  return {
    cpuCores: availableParallelism(),
    cpuSeconds: parseCpuTime(readFileSync('/proc/stat', 'latin1')),
    memoryBytes: memory.get('MemTotal') ?? 0,
    memoryFreeBytes: memory.get('MemFree') ?? 0,
    memoryAvailableBytes: memory.get('MemAvailable') ?? 0,
    swapBytes: memory.get('SwapTotal') ?? 0,
    interfaces: parseNetDev(readFileSync('/proc/net/dev', 'latin1')).filter(({ name }) => !CONTAINER_LINK.test(name)),
    disk: readDisk(root),
  };
}

/** Bytes by name (proc_meminfo(5)). Pure. */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const lines = text.matchAll(/^(?<name>[^:\n]+):\s+(?<kibibytes>\d+) kB$/gm);
  return new Map([...lines].map(({ groups }) => [groups?.['name'] ?? '', Number(groups?.['kibibytes']) * KIBIBYTE]));
}

/** Seconds of all processors (proc_stat(5)); waiting and guests (which are in `user`) left out. Pure. */
export function parseCpuTime(text: string): { readonly user: number; readonly system: number } {
  const line = /^cpu +(.*)$/m.exec(text)?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(' ').map(Number);
  return { user: (user + nice) / TICKS_PER_SECOND, system: (system + irq + softirq) / TICKS_PER_SECOND };
}

function readDisk(root: string): MachineSnapshot['disk'] {
  const { bsize, blocks, bfree } = statfsSync(root);
  const { dev } = statSync(root);
  const { major, minor } = splitDevice(dev);
  return { device: deviceName(major, minor), sizeBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize };
}

/** makedev(3), the other way round. Pure. */
export function splitDevice(device: number): { readonly major: number; readonly minor: number } {
  const number = BigInt(device);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)),
    minor: Number((number & 0xffn) | ((number >> 12n) & ~0xffn)),
  };
}

/** `/dev/sda`; `8:0` where the kernel has no block device of these numbers (tmpfs, btrfs). */
export function deviceName(major: number, minor: number): string {
  const numbers = `${major}:${minor}`;
  try {
    return `/dev/${basename(readlinkSync(`/sys/dev/block/${numbers}`))}`;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return numbers;
    throw error;
  }
}
