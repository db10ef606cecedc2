// What the bridge network needs of the kernel.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

import { NETLINK_NETFILTER, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { fail, ok, warn, type Check } from './check.ts';

const MODULES = ['bridge', 'veth', 'nf_tables', 'nft_chain_nat'] as const;

export function networkChecks(): Check[] {
  return [modules(), netlink()];
}

function modules(): Check {
  const directory = `/lib/modules/${release()}`;
  const listed = ['modules.builtin', 'modules.dep'].flatMap((name) => {
    const path = `${directory}/${name}`;
    return existsSync(path) ? [readFileSync(path, 'latin1')] : [];
  });
  const loaded = existsSync('/proc/modules') ? readFileSync('/proc/modules', 'latin1') : '';
  const known = (name: string): boolean => {
    const file = new RegExp(`/${name.replaceAll('_', '[-_]')}\\.ko`, 'm');
    return (
      existsSync(`/sys/module/${name}`) ||
      new RegExp(`^${name} `, 'm').test(loaded) ||
      listed.some((text) => file.test(text))
    );
  };
  const missing = MODULES.filter((name) => !known(name));
  if (missing.length === 0) return ok('bridge network', MODULES.join(', '));
  const text = `cannot see ${missing.join(', ')}`;
  // Without a list of modules, a kernel that has everything built in looks like this as well.
  if (listed.length === 0)
    return warn('bridge network', text, 'berth run --rm IMAGE tells; hostNetwork: true needs none of it');
  return fail('bridge network', text, 'Install the modules of this kernel; hostNetwork: true needs none of it');
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
