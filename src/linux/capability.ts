// capabilities(7), capget(2): names, masks, and the kernel's structs as bytes.
import { readFileSync } from 'node:fs';

/** In the order of <linux/capability.h>: the index is the number. */
export const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

const _LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const CAP_LAST_CAP = '/proc/sys/kernel/cap_last_cap';

/** The three sets of a thread that capset(2) writes, as masks of `1n << number`. */
export type CapabilitySets = {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
};

/** The number of a capability. Throws a RangeError on a name that Linux does not have. */
export function capabilityNumber(name: string): number {
  const number = CAPABILITIES.indexOf(name);
  if (number === -1) throw new RangeError(`Unknown capability '${name}'`);
  return number;
}

/** The mask of these capabilities (`1n << number`, ORed). Throws one RangeError that lists every unknown name. */
export function capabilityMask(names: readonly string[]): bigint {
  const unknown = names.filter((name) => !CAPABILITIES.includes(name));
  if (unknown.length > 0) {
    const list = unknown.map((name) => `'${name}'`).join(', ');
    throw new RangeError(`Unknown ${unknown.length === 1 ? 'capability' : 'capabilities'} ${list}`);
  }
  return names.reduce((mask, name) => mask | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n);
}

/** The names in a mask, in the order of their numbers; a bit without a name prints as `CAP_N`. */
export function capabilityNames(mask: bigint): string[] {
  const names: string[] = [];
  for (let number = 0; mask >> BigInt(number) !== 0n; number++) {
    if ((mask & (1n << BigInt(number))) !== 0n) names.push(CAPABILITIES[number] ?? `CAP_${number}`);
  }
  return names;
}

/**
 * The highest capability number of the running kernel. Dropping a higher one from the bounding set is EINVAL.
 * Throws what reading `path` throws.
 */
export function lastCapability(path: string = CAP_LAST_CAP): number {
  return Number(readFileSync(path, 'latin1'));
}

/** Every capability of the running kernel, as a mask: what the first process of a new user namespace has. Throws as above. */
export function allCapabilities(): bigint {
  return (1n << BigInt(lastCapability() + 1)) - 1n;
}

/** What this process can pass on over an execve(2) as root: its bounding set. Throws what reading /proc throws. */
export function boundingCapabilities(status: string = readFileSync('/proc/self/status', 'latin1')): bigint {
  return BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}

/** `struct __user_cap_header_struct` (8 bytes), version 3. `pid` 0 is the calling thread. */
export function capabilityHeader(pid = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(_LINUX_CAPABILITY_VERSION_3, 0);
  bytes.writeInt32LE(pid, 4);
  return bytes;
}

/** `struct __user_cap_data_struct[2]` (24 bytes): effective, permitted, inheritable; low words first, then high words. */
export function capabilityData({ effective, permitted, inheritable }: CapabilitySets): Buffer {
  const bytes = Buffer.alloc(24);
  for (const [index, mask] of [effective, permitted, inheritable].entries()) {
    bytes.writeUInt32LE(Number(BigInt.asUintN(32, mask)), index * 4);
    bytes.writeUInt32LE(Number(BigInt.asUintN(32, mask >> 32n)), 12 + index * 4);
  }
  return bytes;
}

/** Read what capget(2) stored: the inverse of `capabilityData`. */
export function parseCapabilityData(bytes: Buffer): CapabilitySets {
  const mask = (index: number): bigint =>
    BigInt(bytes.readUInt32LE(index * 4)) | (BigInt(bytes.readUInt32LE(12 + index * 4)) << 32n);
  return { effective: mask(0), permitted: mask(1), inheritable: mask(2) };
}
