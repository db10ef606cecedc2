// /etc/resolv.conf of a pod: resolv.conf(5), made from the machine's.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

import { isErrno } from '../../linux/errno.ts';

export type ResolverConfig = {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
};

/** What a pod adds to the machine's file, or with `None` has in its place. */
export type PodDns = {
  readonly policy: 'Default' | 'None';
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
};

const HOST_FILE = '/etc/resolv.conf';
/** Where systemd-resolved tells the servers behind its stub at 127.0.0.53 (systemd-resolved.service(8)). */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf';
/** What resolvers read of it (MAXNS). */
const MAX_NAMESERVERS = 3;

/** The entries that matter. Unknown and damaged lines are left out, as resolvers do; the last `search` line counts. */
export function parseResolvConf(text: string): ResolverConfig {
  const nameservers: string[] = [];
  const options: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) nameservers.push(words[0]);
    if (keyword === 'search' || keyword === 'domain') search = words;
    if (keyword === 'options') options.push(...words);
  }
  return { nameservers, search, options };
}

/** The file's text. A search of `.` is none. */
export function formatResolvConf({ nameservers, search, options }: ResolverConfig): string {
  const domains = search.filter((domain) => domain !== '.');
  return [
    ...nameservers.slice(0, MAX_NAMESERVERS).map((address) => `nameserver ${address}\n`),
    ...(domains.length === 0 ? [] : [`search ${domains.join(' ')}\n`]),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}\n`]),
  ].join('');
}

/**
 * What a pod in a network of its own can use of the machine's file: servers on loopback are out of its reach. Link-local
 * IPv6 servers too: their zone is a device of the machine. Without IPv6 in the pod, IPv6 servers go.
 */
export function resolversForPod(host: ResolverConfig, families: { readonly ipv6: boolean }): ResolverConfig {
  const usable = host.nameservers.filter((server) => {
    const family = isIP(server.replace(/%.*$/, ''));
    if (family === 4) return !server.startsWith('127.') && server !== '0.0.0.0';
    return family === 6 && families.ipv6 && server !== '::1' && server !== '::' && !/^fe[89ab]/i.test(server);
  });
  return { ...host, nameservers: usable };
}

/** The pod's own servers, domains and options after those of `base`; an option of the same name takes the place of the other. */
export function withPodDns(base: ResolverConfig, dns: PodDns | undefined): ResolverConfig {
  if (dns === undefined) return base;
  const { nameservers, search, options } = dns.policy === 'None' ? EMPTY : base;
  const named = new Map([...options, ...dns.options].map((option) => [option.replace(/:.*$/, ''), option]));
  return {
    nameservers: [...new Set([...nameservers, ...dns.nameservers])],
    search: [...new Set([...search, ...dns.searches])],
    options: [...named.values()],
  };
}

const EMPTY: ResolverConfig = { nameservers: [], search: [], options: [] };

/**
 * The machine's servers, with those behind a local systemd-resolved stub in its place. No file is no servers. Throws
 * Node's error when a file cannot be read.
 */
export function readHostResolvers(files = { host: HOST_FILE, resolved: RESOLVED_FILE }): ResolverConfig {
  const host = parseResolvConf(readIfThere(files.host));
  if (!host.nameservers.includes('127.0.0.53')) return host;
  const upstream = parseResolvConf(readIfThere(files.resolved));
  return upstream.nameservers.length === 0 ? host : upstream;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
