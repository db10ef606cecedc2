// The rules of Services in the kernel. Every change is one transaction: no packet meets half of them.
import { isErrno } from '../../linux/errno.ts';
import { parseRule } from '../../linux/netlink/nft-dump.ts';
import {
  addChain,
  addRule,
  addTable,
  flushChain,
  listRules,
  nftBatch,
  type Rule,
} from '../../linux/netlink/nft-object.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { SERVICE_CHAINS } from './service-rules.ts';

/**
 * Make the rules of Services be these and no others. Returns whether anything was written: nothing is when it is so already.
 * Connections that are established keep their pod: only the first packet of each meets the rules. Throws SyscallError.
 */
export function syncServiceRules(table: string, rules: readonly Rule[]): boolean {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  if (shown(foundRules(socket, table)) === shown(rules)) return false;
  const requests = [
    addTable(table),
    ...SERVICE_CHAINS.flatMap((chain) => [addChain(table, chain), flushChain(table, chain.name)]),
    ...rules.map((rule) => addRule(table, rule)),
  ];
  socket.transaction(nftBatch(requests));
  return true;
}

type Shown = { readonly chain: string; readonly comment: string | undefined };

/** The comment of a rule holds the hash of its content. */
function shown(rules: readonly Shown[]): string {
  return SERVICE_CHAINS.flatMap(({ name }) => rules.filter(({ chain }) => chain === name))
    .map(({ chain, comment }) => `${chain} ${comment ?? ''}`)
    .join('\n');
}

function foundRules(socket: NetlinkSocket, table: string): Shown[] {
  try {
    return socket.dump(listRules(table)).flatMap((message) => {
      const rule = parseRule(message);
      return rule?.table === table ? [rule] : [];
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
