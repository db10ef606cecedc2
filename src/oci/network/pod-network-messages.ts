// The netlink messages that put a pod into its network, made before anything runs, and the kernel's answers to them.
//
// Two sockets send them: one of the pod's new network namespace (`inside`), one that stayed in the machine's (`host`).
import { addAddress } from '../../linux/netlink/address.ts';
import { changeLink, createVeth, LOOPBACK_INDEX, setHairpin } from '../../linux/netlink/link.ts';
import {
  encodeRequest,
  NLM_F_ACK,
  parseAck,
  parseMessages,
  refusal,
  type Request,
} from '../../linux/netlink/message.ts';
import { addDefaultRoute } from '../../linux/netlink/route.ts';
import { OciError } from '../error.ts';
import { macAddress } from './network.ts';

export type PodInterfaceAddress = {
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
};

export type PodNetworkConfig = {
  readonly podUid: string;
  readonly ipv4: PodInterfaceAddress;
  readonly ipv6: PodInterfaceAddress | undefined;
  readonly mtu: number;
  /** Name of the machine's end of the cable. */
  readonly hostLink: string;
  readonly bridgeIndex: number;
  /** Whether the pod has published ports. */
  readonly publishes: boolean;
  /** The descriptor of the machine's network namespace in the process that sends. */
  readonly hostNamespaceFd: number;
};

/** Messages that one socket sends at once. */
export type Datagram = {
  readonly socket: 'inside' | 'host';
  readonly bytes: Buffer;
  /** What each message does: every one is answered by a datagram. */
  readonly steps: readonly Request[];
};

/** In the order in which they are sent. Sequence numbers count from 1 through all of them. */
export type PodNetworkMessages = { readonly datagrams: readonly Datagram[]; readonly steps: readonly Request[] };

/** The pod's end of the cable, as programs expect it. */
export const POD_LINK = 'eth0';
/** Its index: above those that tunnel modules take in every new namespace. Chosen, because addresses are added by index. */
export const POD_LINK_INDEX = 100;
/** Where an answer goes: larger than any ack with its text. */
export const REPLY_SIZE = 512;

/** The messages of one pod: its cable, the cable's other end into the bridge, then what is inside. Pure. */
export function podNetworkMessages(config: PodNetworkConfig): PodNetworkMessages {
  const { ipv4, ipv6, hostLink, mtu, podUid } = config;
  const cable = createVeth(
    { name: POD_LINK, index: POD_LINK_INDEX, mac: macAddress('pod', ipv4.address), mtu },
    { name: hostLink, mac: macAddress('port', ipv4.address), mtu, namespaceFd: config.hostNamespaceFd },
  );
  const host = [
    changeLink({ name: hostLink, up: true, master: config.bridgeIndex, alias: podAlias(podUid) }),
    // Only where it is needed: such a port hears its own broadcasts.
    ...(config.publishes ? [setHairpin(hostLink)] : []),
  ];
  const inside = [
    changeLink({ index: LOOPBACK_INDEX, up: true }),
    ...[ipv4, ipv6].flatMap((address) =>
      address === undefined
        ? []
        : [addAddress({ ...address, index: POD_LINK_INDEX }), addDefaultRoute(address.gateway, POD_LINK_INDEX)],
    ),
  ];
  return {
    datagrams: [datagram('inside', [cable], 1), datagram('host', host, 2), datagram('inside', inside, 2 + host.length)],
    steps: [cable, ...host, ...inside],
  };
}

function datagram(socket: Datagram['socket'], steps: readonly Request[], firstSequence: number): Datagram {
  const messages = steps.map((step, index) =>
    encodeRequest({ ...step, flags: step.flags | NLM_F_ACK }, firstSequence + index),
  );
  return { socket, bytes: Buffer.concat(messages), steps };
}

/** What `ip -d link` shows beside the machine's end of the cable. */
export function podAlias(podUid: string): string {
  return `berth pod ${podUid}`;
}

/**
 * Check the answers to all steps: one datagram in every REPLY_SIZE bytes, in any order. Throws OciError NETWORK_FAILED
 * that names the first step that was refused (or not answered) with what the kernel said.
 */
export function decodeAcks(replies: Buffer, steps: readonly Request[]): void {
  const acks = new Map<number, NonNullable<ReturnType<typeof parseAck>>>();
  for (let offset = 0; offset < replies.length; offset += REPLY_SIZE) {
    const slot = replies.subarray(offset, offset + REPLY_SIZE);
    const length = slot.length < 4 ? 0 : slot.readUInt32LE(0);
    for (const message of parseMessages(slot.subarray(0, length))) {
      const ack = parseAck(message);
      if (ack !== undefined) acks.set(ack.sequence, ack);
    }
  }
  for (const [index, step] of steps.entries()) {
    const ack = acks.get(index + 1);
    if (ack?.errno === 0) continue;
    if (ack === undefined) throw new OciError('NETWORK_FAILED', `Cannot ${step.what}: no answer from the kernel`);
    const cause = refusal(step, ack);
    const said = ack.text === undefined ? cause.code : `${cause.code} (${ack.text})`;
    throw new OciError('NETWORK_FAILED', `Cannot ${step.what}: ${said}`, { cause });
  }
}
