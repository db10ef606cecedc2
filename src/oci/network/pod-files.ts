// The files that tell a pod's programs where they are: hostname, hosts, resolv.conf. Bind-mounted into every container.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hostsFile, type HostAlias } from './hosts-file.ts';
import {
  formatResolvConf,
  readHostResolvers,
  resolversForPod,
  withPodDns,
  type PodDns,
  type ResolverConfig,
} from './resolv-conf.ts';

export type PodFilesOptions = {
  readonly runDirectory: string;
  readonly hostname: string;
  /** Of the pod; undefined on the machine's own network, whose resolvers are then all in reach. */
  readonly addresses: { readonly ipv4: string; readonly ipv6: string | undefined } | undefined;
  readonly aliases?: readonly HostAlias[];
  /** The machine's, where not given. */
  readonly resolvers?: ResolverConfig | undefined;
  /** What the pod wants besides, or instead. */
  readonly dns?: PodDns | undefined;
};

/** Paths on the machine. */
export type PodFiles = { readonly hostname: string; readonly hosts: string; readonly resolvConf: string };

/** Write the three files. Throws RangeError on a name that cannot stand in them. */
export function writePodFiles(options: PodFilesOptions): PodFiles {
  const { runDirectory, hostname, addresses, aliases = [] } = options;
  const own =
    addresses === undefined ? [] : [addresses.ipv4, ...(addresses.ipv6 === undefined ? [] : [addresses.ipv6])];
  const host = options.resolvers ?? readHostResolvers();
  const usable = addresses === undefined ? host : resolversForPod(host, { ipv6: addresses.ipv6 !== undefined });
  const resolvers = withPodDns(usable, options.dns);
  mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
  const files = podFilePaths(runDirectory);
  // Read by programs of every user in the pod.
  writeFileSync(files.hosts, hostsFile({ hostname, addresses: own, aliases }), { mode: 0o644 });
  writeFileSync(files.hostname, `${hostname}\n`, { mode: 0o644 });
  writeFileSync(files.resolvConf, formatResolvConf(resolvers), { mode: 0o644 });
  return files;
}

/** Where writePodFiles puts them. */
export function podFilePaths(runDirectory: string): PodFiles {
  return {
    hostname: join(runDirectory, 'hostname'),
    hosts: join(runDirectory, 'hosts'),
    resolvConf: join(runDirectory, 'resolv.conf'),
  };
}
