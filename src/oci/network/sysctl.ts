// Kernel parameters of a pod: only those that its own network and IPC namespaces hold (SEC-8).
import { OciError } from '../error.ts';
import type { Sysctl } from './pod-network-tape.ts';

/** Prefixes of names, as sysctl(8) writes them, that are per network or per IPC namespace (namespaces(7)). */
const NAMESPACED = ['net.', 'kernel.shm', 'kernel.msg', 'kernel.sem', 'fs.mqueue.'];

/** Every pod's: ports below 1024 and ping without capabilities, since the namespace is the pod's alone. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
};

/** Set before the pod's device is made: it takes its settings from `default`. */
const WITH_IPV6: Readonly<Record<string, string>> = {
  // No neighbour may hand out routers, and addresses are unique by construction.
  'net.ipv6.conf.default.accept_ra': '0',
  'net.ipv6.conf.default.accept_dad': '0',
};
const WITHOUT_IPV6: Readonly<Record<string, string>> = { 'net.ipv6.conf.default.disable_ipv6': '1' };

/**
 * What to write for a pod: berth's defaults, then `wanted` (names with dots, as in sysctl.conf(5)). `ipv6` tells whether the
 * pod has an address of it, undefined that the kernel has none. Throws OciError NETWORK_INVALID on a name outside the
 * pod's namespaces.
 */
export function podSysctls(wanted: Readonly<Record<string, string>>, ipv6: boolean | undefined): Sysctl[] {
  const family = ipv6 === undefined ? {} : ipv6 ? WITH_IPV6 : WITHOUT_IPV6;
  return Object.entries({ ...DEFAULTS, ...family, ...wanted }).map(([name, value]) => ({
    path: sysctlPath(name),
    value: checkValue(name, value),
  }));
}

function sysctlPath(name: string): string {
  // Nothing else: `+`, `/` and `..` have led out of /proc/sys/net before (CVE-2022-0811).
  const wellFormed = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(name);
  if (!wellFormed || !NAMESPACED.some((prefix) => name.startsWith(prefix))) {
    const message = `Sysctl '${name}' is not one that a pod can have of its own: allowed are ${NAMESPACED.join('*, ')}*`;
    throw new OciError('NETWORK_INVALID', message);
  }
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

function checkValue(name: string, value: string): string {
  if (/^[\x20-\x7e\t]{0,1024}$/.test(value)) return value;
  throw new OciError('NETWORK_INVALID', `The value of sysctl '${name}' is not a line of plain text`);
}
