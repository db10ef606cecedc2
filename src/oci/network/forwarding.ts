// The kernel parameters of the machine that a bridge network needs: ip-sysctl.rst. Written only where they differ.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';

const CONF4 = '/proc/sys/net/ipv4/conf';
const CONF6 = '/proc/sys/net/ipv6/conf';

/**
 * Let the machine forward for the bridge. IPv4 forwarding is switched on for the whole machine and stays on: others may have
 * come to count on it. Throws Node's error when a parameter cannot be written.
 */
export function enableForwarding(bridge: string, { ipv6 }: { readonly ipv6: boolean }): void {
  // First of all: a bridge that takes router advertisements takes them from pods (CVE-2020-13401).
  set(join(CONF6, bridge, ipv6 ? 'accept_ra' : 'disable_ipv6'), ipv6 ? '0' : '1', { optional: !ipv6 });
  // So that 127.0.0.1 of the machine reaches published ports; the table's `guard` chain keeps pods from using it.
  set(join(CONF4, bridge, 'route_localnet'), '1');
  set('/proc/sys/net/ipv4/ip_forward', '1');
  if (ipv6) enableIPv6Forwarding();
}

/** A machine that forwards ignores router advertisements, and would lose its own default route, unless told otherwise. */
function enableIPv6Forwarding(): void {
  const forwarding = join(CONF6, 'all', 'forwarding');
  if (read(forwarding) === '1') return;
  for (const link of readdirSync(CONF6)) {
    const acceptRa = join(CONF6, link, 'accept_ra');
    if (read(acceptRa) === '1') set(acceptRa, '2', { optional: true });
  }
  set(forwarding, '1');
}

function set(path: string, value: string, { optional = false }: { readonly optional?: boolean } = {}): void {
  try {
    if (read(path) !== value) writeFileSync(path, value);
  } catch (error) {
    if (!(optional && isErrno(error, 'ENOENT'))) throw error;
  }
}

function read(path: string): string {
  return readFileSync(path, 'latin1').trim();
}
