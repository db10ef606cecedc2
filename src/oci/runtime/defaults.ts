// What a container gets when its owner asks for nothing: fragments of an OCI config.
import { existsSync, readdirSync } from 'node:fs';

import type { DeviceRule } from './config.ts';

/**
 * Docker's default set without MKNOD, NET_RAW, SETFCAP and AUDIT_WRITE: hardly any image needs them, and each has been
 * a part of escapes (device nodes, packet spoofing, file capabilities). A workload may ask for them.
 */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
];

const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Paths of the kernel's settings that a container sees but cannot write. */
export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

const CPUS = '/sys/devices/system/cpu';

/**
 * Paths that tell about, or reach, the machine rather than the container; counters of the processors' heat and power
 * among them, which are side channels. `thermalThrottle` comes from `thermalThrottlePaths`.
 */
export function maskedPaths(thermalThrottle: readonly string[] = []): string[] {
  return [...MASKED_PATHS, ...thermalThrottle];
}

/** The `thermal_throttle` directories of this machine's processors. Ask once: processors hardly ever change. */
export function thermalThrottlePaths(cpus: string = CPUS): string[] {
  if (!existsSync(cpus)) return [];
  return readdirSync(cpus)
    .filter((name) => /^cpu\d+$/.test(name) && existsSync(`${cpus}/${name}/thermal_throttle`))
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)))
    .map((name) => `${cpus}/${name}/thermal_throttle`);
}

// Majors and minors of Documentation/admin-guide/devices.txt.
const USABLE: readonly (readonly [major: number, minor?: number])[] = [
  [1, 3], // null
  [1, 5], // zero
  [1, 7], // full
  [1, 8], // random
  [1, 9], // urandom
  [5, 0], // tty
  [5, 2], // ptmx
  [136], // pts/*
];

/**
 * Device rules for `linux.resources.devices`: everything is denied (but what `usableDeviceRules` adds). A
 * container with CAP_MKNOD may also make nodes of any device, which it then cannot open.
 */
export function defaultDeviceRules(capabilities: readonly string[]): DeviceRule[] {
  const nodes: DeviceRule[] = [
    { allow: true, type: 'c', access: 'm' },
    { allow: true, type: 'b', access: 'm' },
  ];
  return [{ allow: false, access: 'rwm' }, ...(capabilities.includes('CAP_MKNOD') ? nodes : [])];
}

/** Rules for the devices that every container has. The runtime adds them to whatever rules a configuration has. */
export function usableDeviceRules(): DeviceRule[] {
  return USABLE.map(([major, minor]): DeviceRule => {
    const device = { allow: true, type: 'c', major, access: 'rwm' } as const;
    return minor === undefined ? device : { ...device, minor };
  });
}
