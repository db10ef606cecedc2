// Every name that a user may give, checked in this one place (SEC-18): names become file names, host names and cgroup
// names. Each function answers with what is wrong, or undefined.
import { isIP } from 'node:net';

import { quoted } from '../quoted-text.ts';

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** A DNS label (RFC 1123): containers, volumes, namespaces, host names. */
export function labelNameProblem(name: string): string | undefined {
  if (name.length <= 63 && LABEL.test(name)) return undefined;
  return `${quoted(name)} is not a valid name: at most 63 lower-case letters, digits and '-', a letter or digit at both ends`;
}

/** A DNS subdomain (RFC 1123): objects. */
export function subdomainProblem(name: string): string | undefined {
  if (name.length <= 253 && name.split('.').every((part) => LABEL.test(part))) return undefined;
  return `${quoted(name)} is not a valid name: at most 253 lower-case letters, digits, '-' and '.', a letter or digit at both ends and beside every '.'`;
}

/** The key of a label or an annotation: `[prefix/]name`. */
export function qualifiedNameProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && subdomainProblem(prefix.toLowerCase()) !== undefined) {
    return `${quoted(key)} is not a valid key: what stands before '/' must be a DNS name`;
  }
  if (name.length <= 63 && QUALIFIED.test(name)) return undefined;
  return `${quoted(key)} is not a valid key: at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends`;
}

/** The value of a label. */
export function labelValueProblem(value: string): string | undefined {
  if (value === '' || (value.length <= 63 && QUALIFIED.test(value))) return undefined;
  return `${quoted(value)} is not a valid label value: at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends`;
}

/** The key of a ConfigMap or Secret: it may become a file name. */
export function configKeyProblem(key: string): string | undefined {
  if (key.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(key) && key !== '.' && !key.startsWith('..')) return undefined;
  return `${quoted(key)} is not a valid key: at most 253 letters, digits, '-', '_' and '.', not '.' and not beginning with '..'`;
}

/** An environment variable, or the prefix of some. */
export function variableNameProblem(name: string): string | undefined {
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(name)) return undefined;
  return `${quoted(name)} is not a valid variable name: printable ASCII characters without '='`;
}

/** The name of a port (IANA_SVC_NAME, RFC 6335). */
export function portNameProblem(name: string): string | undefined {
  if (name.length <= 15 && LABEL.test(name) && /[a-z]/.test(name) && !name.includes('--')) return undefined;
  return `${quoted(name)} is not a valid port name: at most 15 lower-case letters, digits and single '-', at least one letter, none at the ends but letters and digits`;
}

/** An IPv4 or IPv6 address without zone. */
export function addressProblem(address: string): string | undefined {
  return isIP(address) !== 0 && !address.includes('%') ? undefined : `${quoted(address)} is not an IP address`;
}
