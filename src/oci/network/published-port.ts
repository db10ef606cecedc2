// Published ports as elements of the bridge table's maps: what is asked for, and whom it is in the way of.
import { isIPv4 } from 'node:net';

import { ipBytes, ipText } from '../../linux/netlink/ip-address.ts';
import type { Element } from '../../linux/netlink/nft-object.ts';
import { OciError } from '../error.ts';
import type { PORT_MAPS } from './bridge-rules.ts';

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export type PublishedPort = {
  readonly hostPort: number;
  /** One address of this machine. Undefined: all of both families; `0.0.0.0` and `::` all of one. */
  readonly hostIP: string | undefined;
  readonly containerPort: number;
  readonly protocol: Protocol;
};

export type PodAddresses = { readonly ipv4: string; readonly ipv6: string | undefined };

/** An element and the map that it belongs in. Its comment is the pod's uid. */
export type PortElement = Element & { readonly map: keyof typeof PORT_MAPS };

/** A port as it is taken on the machine: `hostIP` undefined is every address of the family. */
export type TakenPort = {
  readonly family: 4 | 6;
  readonly hostIP: string | undefined;
  readonly hostPort: number;
  readonly protocol: Protocol;
  readonly owner: string;
};

/** Numbers of IANA. */
export const PROTOCOLS = { TCP: 6, UDP: 17, SCTP: 132 } as const satisfies Readonly<Record<Protocol, number>>;

/** The elements of a pod's ports. Throws OciError PORT_INVALID on a port or an address that cannot be, or is given twice. */
export function portElements(ports: readonly PublishedPort[], pod: PodAddresses, podUid: string): PortElement[] {
  const seen = new Set<string>();
  return ports.flatMap((port) => {
    checkPort(port.hostPort);
    checkPort(port.containerPort);
    return hostAddresses(port, pod).map((host) => {
      const element = portElement(port, host, pod, podUid);
      const name = `${element.map} ${element.key.toString('hex')}`;
      if (seen.has(name)) throw invalid(port, `pod ${podUid} asks for it twice`);
      seen.add(name);
      return element;
    });
  });
}

function portElement(
  port: PublishedPort,
  { family, hostIP }: HostAddress,
  pod: PodAddresses,
  comment: string,
): PortElement {
  const address = family === 4 ? pod.ipv4 : pod.ipv6;
  if (address === undefined) throw invalid(port, `the network of pod ${comment} has no IPv${family}`);
  const service = Buffer.concat([padded([PROTOCOLS[port.protocol]]), portBytes(port.hostPort)]);
  return {
    map: hostIP === undefined ? `anyIPv${family}` : `addressIPv${family}`,
    key: hostIP === undefined ? service : Buffer.concat([ipBytes(hostIP), service]),
    value: Buffer.concat([ipBytes(address), portBytes(port.containerPort)]),
    comment,
  };
}

/** What an element says in words. Throws RangeError when its key is not one of these maps'. */
export function takenPort({ map, key, comment }: PortElement): TakenPort {
  const family = map.endsWith('4') ? 4 : 6;
  const addressLength = map.startsWith('any') ? 0 : family === 4 ? 4 : 16;
  if (key.length !== addressLength + 8) throw new RangeError(`A key of ${key.length} bytes is not one of map ${map}`);
  const number = key.readUInt8(addressLength);
  const protocol = (Object.keys(PROTOCOLS) as Protocol[]).find((name) => PROTOCOLS[name] === number);
  if (protocol === undefined) throw new RangeError(`Protocol ${number} is not one that berth publishes`);
  return {
    family,
    hostIP: addressLength === 0 ? undefined : ipText(key.subarray(0, addressLength)),
    hostPort: key.readUInt16BE(addressLength + 4),
    protocol,
    owner: comment,
  };
}

/** The first of `wanted` that another pod has, as `taken` tells: the same port where one of both addresses is "every". */
export function findConflict(wanted: readonly TakenPort[], taken: readonly TakenPort[]): TakenPort | undefined {
  for (const want of wanted) {
    const found = taken.find(
      (other) =>
        other.owner !== want.owner &&
        other.family === want.family &&
        other.protocol === want.protocol &&
        other.hostPort === want.hostPort &&
        (other.hostIP === undefined || want.hostIP === undefined || other.hostIP === want.hostIP),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `127.0.0.1:8080/TCP`, for messages. */
export function portText({
  hostIP,
  hostPort,
  protocol,
}: Pick<PublishedPort, 'hostIP' | 'hostPort' | 'protocol'>): string {
  const host = hostIP === undefined ? '' : isIPv4(hostIP) ? `${hostIP}:` : `[${hostIP}]:`;
  return `${host}${hostPort}/${protocol}`;
}

type HostAddress = { readonly family: 4 | 6; readonly hostIP: string | undefined };

/** The addresses to publish on, by family. */
function hostAddresses(port: PublishedPort, pod: PodAddresses): HostAddress[] {
  const { hostIP } = port;
  if (hostIP === undefined) {
    return [{ family: 4, hostIP }, ...(pod.ipv6 === undefined ? [] : [{ family: 6 as const, hostIP }])];
  }
  const canonical = canonicalAddress(port);
  if (isIPv4(canonical)) return [{ family: 4, hostIP: canonical === '0.0.0.0' ? undefined : canonical }];
  if (canonical === '::1') throw invalid(port, 'Linux does not forward from ::1; use hostIP 127.0.0.1');
  return [{ family: 6, hostIP: canonical === '::' ? undefined : canonical }];
}

function canonicalAddress(port: PublishedPort): string {
  try {
    return ipText(ipBytes(port.hostIP ?? ''));
  } catch (error) {
    throw invalid(port, `'${port.hostIP ?? ''}' is not an IP address`, error);
  }
}

function invalid(port: PublishedPort, reason: string, cause?: unknown): OciError {
  return new OciError('PORT_INVALID', `Cannot publish port ${portText(port)}: ${reason}`, { cause });
}

function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return;
  throw new OciError('PORT_INVALID', `Cannot publish port ${port}: a port is an integer from 1 to 65535`);
}

function portBytes(port: number): Buffer {
  return padded([port >> 8, port & 0xff]);
}

/** A register holds 4 bytes, filled from the front. */
function padded(bytes: readonly number[]): Buffer {
  return Buffer.from([...bytes, 0, 0, 0, 0].slice(0, 4));
}
