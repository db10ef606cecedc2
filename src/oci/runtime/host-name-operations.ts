// hostname and domainname: sethostname(2), setdomainname(2), in a uts namespace that is not the machine's.
import { text, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { RuntimeConfig } from './config.ts';

/** Throws OciError CONFIG_INVALID where the names would become the machine's. */
export function hostNameOperations({ hostname, domainname, linux }: RuntimeConfig): Operation[] {
  const names = { hostname, domainname };
  for (const [field, name] of Object.entries(names)) {
    if (name === undefined || (linux?.namespaces ?? []).some(({ type }) => type === 'uts')) continue;
    const message = `${field}: '${name}' would become the machine's, as the container has no 'uts' namespace`;
    throw new OciError('CONFIG_INVALID', message);
  }
  return [
    ...(hostname === undefined ? [] : [setName('sethostname', hostname, 'host name')]),
    ...(domainname === undefined ? [] : [setName('setdomainname', domainname, 'domain name')]),
  ];
}

function setName(call: string, name: string, shown: string): Operation {
  return { call, args: [text(name), Buffer.byteLength(name)], what: `set the ${shown} to ${name}` };
}
