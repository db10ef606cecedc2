// What may be mounted over /proc: nothing that makes a runtime, or a program, believe another process than it asks about
// (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
import { OciError } from '../error.ts';
import type { Mount } from './config.ts';

/** Files that tell about the machine, not about a process: lxcfs and others put their own there. The same as in runc. */
const HARMLESS: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
  '/proc/net/dev',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/sys/crypto/fips_enabled',
]);

/** Throws OciError CONFIG_INVALID when a mount is on /proc and none of proc, or below it and not of a harmless file. */
export function refuseInsideProc({ destination, type, source }: Mount, isBind: boolean): void {
  const isProc = isBind ? source === '/proc' : type === 'proc';
  if (destination === '/proc' && !isProc) {
    throw new OciError('CONFIG_INVALID', `Cannot mount ${type ?? source} on /proc: only proc can be mounted there`);
  }
  if (!destination.startsWith('/proc/') || HARMLESS.has(destination) || (!isBind && type === 'proc')) return;
  throw new OciError(
    'CONFIG_INVALID',
    `Cannot mount on ${destination}: it cannot be mounted because it is inside /proc`,
  );
}
