// Where a registry is reached: https always, but for loopback and for registries named insecure.
import type { Reference } from '../reference.ts';

const DOCKER_HUB = 'registry-1.docker.io';

/**
 * The base URL of a reference's registry. `insecure` lists registries (`host` or `host:port`, as in references) that are
 * spoken to over plain http; loopback ones always are.
 */
export function registryOrigin({ registry }: Pick<Reference, 'registry'>, insecure: readonly string[] = []): URL {
  if (registry === 'docker.io') return new URL(`https://${DOCKER_HUB}`);
  const url = new URL(`https://${registry}`);
  return isLoopback(url.hostname) || insecure.includes(registry) ? new URL(`http://${registry}`) : url;
}

/** Whether a URL's hostname is this machine: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(hostname: string): boolean {
  // URL normalises every spelling of an IPv4 address to four decimal numbers.
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
}
