// What the bridge network needs of the kernel.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

import { NETLINK_NETFILTER, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { fail, ok, type Check } from './check.ts';

/** Each with a function of its own, by which it is known where everything is built in and nothing is listed. */
const MODULES = [
  { name: 'bridge', symbol: 'br_add_if' },
  { name: 'veth', symbol: 'veth_setup' },
  { name: 'nf_tables', symbol: 'nf_tables_newtable' },
  { name: 'nft_chain_nat', symbol: 'nft_nat_do_chain' },
] as const;

/** Whether bridge networks and published ports can work here. */
export function networkChecks(): Check[] {
  return [modules(), netlink()];
}

function modules(): Check {
  const directory = `/lib/modules/${release()}`;
  const texts = [`${directory}/modules.builtin`, `${directory}/modules.dep`, '/proc/modules', '/proc/kallsyms']
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'));
  const missing = MODULES.filter(({ name, symbol }) => !texts.some((text) => names(text, name, symbol)));
  if (missing.length === 0) return ok('bridge network', MODULES.map(({ name }) => name).join(', '));
  const text = `not in this kernel: ${missing.map(({ name }) => name).join(', ')}`;
  return fail('bridge network', text, 'Install the modules of this kernel; hostNetwork: true needs none of it');
}

/** Whether a list of modules (by file or by name) or of symbols has the module. Pure. */
export function names(text: string, module: string, symbol: string): boolean {
  const file = module.replaceAll('_', '[-_]');
  return new RegExp(`(/${file}\\.ko|^${module} | ${symbol}$)`, 'm').test(text);
}

function netlink(): Check {
  try {
    using _socket = new NetlinkSocket(NETLINK_NETFILTER);
    return ok('nf_tables', 'netlink answers');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail('nf_tables', reason, 'The kernel needs CONFIG_NF_TABLES');
  }
}
