// What a pod knows of the network around it: hostAliases, dnsPolicy, dnsConfig; and its kernel parameters.
import * as z from 'zod';

import { quoted } from '../quoted-text.ts';
import { checked, duplicates, manifestObject, text } from './manifest-object.ts';
import { addressProblem, subdomainProblem } from './names.ts';

/** What resolvers read of a file (resolv.conf(5), MAXNS), and what Kubernetes allows of the rest. */
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const MOST_SEARCH_TEXT = 2048;
/** Prefixes of what belongs to a network or an IPC namespace (namespaces(7)); the rest is the machine's (SEC-8). */
const OF_NETWORK = ['net.'];
const OF_IPC = ['kernel.shm', 'kernel.msg', 'kernel.sem', 'fs.mqueue.'];

export const hostAliases: z.ZodType<{ ip: string; hostnames: string[] }[]> = z.array(
  manifestObject({ ip: text(addressProblem), hostnames: z.array(text(subdomainProblem)) }),
);

export const dnsPolicy: z.ZodType<'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None'> = z.enum([
  'ClusterFirst',
  'ClusterFirstWithHostNet',
  'Default',
  'None',
]);

function searchProblem(domain: string): string | undefined {
  return domain === '.' ? undefined : subdomainProblem(domain.replace(/\.$/, ''));
}

function wordProblem(word: string): string | undefined {
  return /^[!-~]+$/.test(word) && !/[#;]/.test(word) ? undefined : `${quoted(word)} is not a word of resolv.conf`;
}

const dnsOption = manifestObject({ name: text(wordProblem), value: text(wordProblem).nullish() });

export const dnsConfig = checked(
  manifestObject({
    nameservers: z.array(text(addressProblem)).nullish(),
    searches: z.array(text(searchProblem)).nullish(),
    options: z.array(dnsOption).nullish(),
  }),
  function* ({ nameservers, searches }) {
    if ((nameservers ?? []).length > MOST_NAMESERVERS) {
      yield { path: ['nameservers'], message: `More than ${MOST_NAMESERVERS} name servers: resolvers read no more` };
    }
    const length = (searches ?? []).join(' ').length;
    if ((searches ?? []).length > MOST_SEARCHES || length > MOST_SEARCH_TEXT) {
      yield { path: ['searches'], message: `More than ${MOST_SEARCHES} domains or ${MOST_SEARCH_TEXT} characters` };
    }
  },
);

const sysctl = manifestObject({
  name: text((name) => {
    const known = [...OF_NETWORK, ...OF_IPC];
    const wellFormed = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(name);
    if (wellFormed && known.some((prefix) => name.startsWith(prefix))) return undefined;
    return `${quoted(name)} is not a kernel parameter that a pod can have of its own: allowed are ${known.join('*, ')}*`;
  }),
  value: text((value) => (/^[\x20-\x7e\t]{1,1024}$/.test(value) ? undefined : 'Expected a line of plain text')),
});

export const sysctls = checked(z.array(sysctl), (entries) =>
  duplicates(entries, { name: ({ name }) => name, field: ['name'], what: 'kernel parameter' }),
);

/** Whether a kernel parameter belongs to the network, rather than to the IPC namespace. */
export function isOfNetwork(name: string): boolean {
  return OF_NETWORK.some((prefix) => name.startsWith(prefix));
}
