// The nf_tables table of a network: its rules, and the ports in its maps. Every change is one transaction.
import { isErrno } from '../../linux/errno.ts';
import { parseElements, parseRule } from '../../linux/netlink/nft-dump.ts';
import {
  addChain,
  addElement,
  addMap,
  addRule,
  addTable,
  deleteElement,
  deleteTable,
  flushChain,
  listElements,
  listRules,
  nftBatch,
  type Rule,
} from '../../linux/netlink/nft-object.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import type { Request } from '../../linux/netlink/message.ts';
import { bridgeRules, CHAINS, PORT_MAPS, type FilteredNetwork } from './bridge-rules.ts';
import type { PortElement } from './published-port.ts';

const MAP_KEYS = Object.keys(PORT_MAPS) as (keyof typeof PORT_MAPS)[];

/**
 * Make the table be as it should: all rules, and exactly these ports. Nothing is written when it is so already. Throws
 * SyscallError.
 */
export function ensureTable(table: string, network: FilteredNetwork, ports: readonly PortElement[]): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const rules = bridgeRules(network);
  const requests = [
    ...(hasRules(socket, table, rules) ? [] : tableRequests(table, rules)),
    ...portChanges(table, existingPorts(socket, table), ports),
  ];
  if (requests.length > 0) socket.transaction(nftBatch(requests));
}

/** Remove the table with all that is in it. It need not be there. */
export function removeTable(table: string): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    socket.transaction(nftBatch([deleteTable(table)]));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Every published port of the table. */
export function listPorts(table: string): PortElement[] {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  return existingPorts(socket, table);
}

/** Add a pod's ports, all or none. Throws SyscallError EEXIST when one is taken. */
export function addPorts(table: string, ports: readonly PortElement[]): void {
  if (ports.length === 0) return;
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  socket.transaction(nftBatch(ports.map((port) => addElement(table, PORT_MAPS[port.map].name, port))));
}

/** Remove all ports of a pod. */
export function removePorts(table: string, podUid: string): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const own = existingPorts(socket, table).filter(({ comment }) => comment === podUid);
  if (own.length === 0) return;
  socket.transaction(nftBatch(own.map((port) => deleteElement(table, PORT_MAPS[port.map].name, port))));
}

function tableRequests(table: string, rules: readonly Rule[]): Request[] {
  return [
    addTable(table),
    ...Object.values(PORT_MAPS).map((map) => addMap(table, map)),
    ...CHAINS.flatMap((chain) => [addChain(table, chain), flushChain(table, chain.name)]),
    ...rules.map((rule) => addRule(table, rule)),
  ];
}

/** The comment of a rule holds the hash of its content: equal comments in equal order are equal rules. */
function hasRules(socket: NetlinkSocket, table: string, rules: readonly Rule[]): boolean {
  const found = socket.dump(listRules(table)).flatMap((message) => {
    const rule = parseRule(message);
    return rule?.table === table ? [rule] : [];
  });
  return shown(found) === shown(rules);
}

function shown(rules: readonly { readonly chain: string; readonly comment: string | undefined }[]): string {
  return CHAINS.flatMap(({ name }) => rules.filter(({ chain }) => chain === name))
    .map(({ chain, comment }) => `${chain} ${comment ?? ''}`)
    .join('\n');
}

function existingPorts(socket: NetlinkSocket, table: string): PortElement[] {
  return MAP_KEYS.flatMap((map) => {
    try {
      const messages = socket.dump(listElements(table, PORT_MAPS[map].name));
      return messages.flatMap(parseElements).map((element) => ({ ...element, map }));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

function portChanges(table: string, existing: readonly PortElement[], wanted: readonly PortElement[]): Request[] {
  const existingNames = new Set(existing.map(portName));
  const wantedNames = new Set(wanted.map(portName));
  return [
    ...existing
      .filter((port) => !wantedNames.has(portName(port)))
      .map((port) => deleteElement(table, PORT_MAPS[port.map].name, port)),
    ...wanted
      .filter((port) => !existingNames.has(portName(port)))
      .map((port) => addElement(table, PORT_MAPS[port.map].name, port)),
  ];
}

function portName({ map, key, value, comment }: PortElement): string {
  return `${map} ${key.toString('hex')} ${value.toString('hex')} ${comment}`;
}
