// /etc/hosts, /etc/hostname and /etc/resolv.conf of a pod.
import { readFileSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';
import { hostsFile, resolvConf } from '../network/etc-contents.ts';

export type EtcOptions = {
  readonly hostname: string;
  readonly network: 'bridge' | 'host' | 'none';
  readonly addresses: readonly (string | undefined)[];
};

/** Name to content. With the host's network the host's own files are used as they are. Throws what reading them throws. */
export function etcFiles({ hostname, network, addresses }: EtcOptions): readonly (readonly [string, string])[] {
  if (network === 'host') return ['hosts', 'hostname', 'resolv.conf'].map((name) => [name, readEtc(name)] as const);
  const known = addresses.filter((address) => address !== undefined);
  return [
    ['hosts', hostsFile(hostname, known)],
    ['hostname', `${hostname}\n`],
    ['resolv.conf', resolvConf(readEtc('resolv.conf'), readFile('/run/systemd/resolve/resolv.conf'))],
  ];
}

function readEtc(name: string): string {
  return readFile(`/etc/${name}`) ?? '';
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
