// Which token service a registry may send its clients to. A registry (or who stands between) that names any host it
// likes would be handed the user's credentials: CVE-2026-65388 of apple/container.
import { isLoopback } from './origin.ts';

// Registries whose token service is on another site, by the registry's published documentation.
const KNOWN_REALM_HOSTS: ReadonlyMap<string, string> = new Map([['lscr.io', 'ghcr.io']]);

// Suffixes under which strangers rent names side by side: sharing one means nothing.
const SHARED_SUFFIXES: readonly string[] = [
  'amazonaws.com',
  'appspot.com',
  'azurecr.io',
  'azurewebsites.net',
  'cloudapp.azure.com',
  'duckdns.org',
  'fly.dev',
  'github.io',
  'gitlab.io',
  'herokuapp.com',
  'netlify.app',
  'ngrok.io',
  'pages.dev',
  'pkg.dev',
  'run.app',
  'vercel.app',
  'web.app',
  'workers.dev',
];

/**
 * Check a `realm` against the registry that sent it. Returns its URL, or the reason (a phrase) why it may not be asked.
 * It must be https (http only where the registry itself is), without user and password, and on the registry's host, on
 * its site (`registry.example.com` and `auth.example.com`), or on one of `allowedHosts`.
 */
export function acceptRealm(realm: string, registry: URL, allowedHosts: readonly string[] = []): URL | string {
  if (!URL.canParse(realm)) return 'it is not a URL';
  const url = new URL(realm);
  if (url.username !== '' || url.password !== '') return 'it contains a user name or password';
  const plain = url.protocol === 'http:' && registry.protocol === 'http:';
  if (url.protocol !== 'https:' && !plain) return 'it is not https';
  if (url.hostname === registry.hostname || allowedHosts.includes(url.hostname)) return url;
  if (plain && isLoopback(url.hostname) && isLoopback(registry.hostname)) return url;
  if (plain) return 'it is another host over plain http';
  const known = KNOWN_REALM_HOSTS.get(registry.hostname) === url.hostname;
  return known || sameSite(url.hostname, registry.hostname) ? url : 'it is on another site than the registry';
}

/** Whether one host is, or is next to or under, the other's parent domain, and that parent belongs to one owner. */
export function sameSite(left: string, right: string): boolean {
  if (left === right) return true;
  if (isAddress(left) || isAddress(right)) return false;
  const site = siteOf(right);
  return site !== undefined && (left === site || left.endsWith(`.${site}`));
}

// The host without its first label, when what is left has an owner of its own; else the host itself.
function siteOf(host: string): string | undefined {
  const labels = host.split('.');
  if (labels.length < 2) return undefined;
  const parent = labels.slice(1).join('.');
  return labels.length === 2 || isShared(parent) ? host : parent;
}

function isShared(domain: string): boolean {
  // `co.uk`, `com.au`, `ne.jp`: a short label before a country's code is a registry's, not an owner's.
  if (/^[a-z]{2,3}\.[a-z]{2}$/.test(domain)) return true;
  return SHARED_SUFFIXES.some((suffix) => domain === suffix || domain.endsWith(`.${suffix}`));
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || /^[0-9.]+$/.test(host);
}
