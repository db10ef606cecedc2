// ConfigMap and Secret. No message here may contain a value: it could be a password.
import * as z from 'zod';

import { checked, manifestObject, text, textMap, type Complaint } from './manifest-object.ts';
import { metadata } from './metadata.ts';
import { configKeyProblem } from './names.ts';

/** What Kubernetes allows for all entries of one object together. */
const MAX_BYTES = 1024 * 1024;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes of strict base64 (RFC 4648, padded, no other characters); a final line break is let pass. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const stripped = text.replace(/\r?\n$/, '');
  if (!BASE64.test(stripped)) return undefined;
  const bytes = Buffer.from(stripped, 'base64');
  // Bits after the last byte must be zero, or two texts would stand for the same bytes.
  return bytes.toString('base64') === stripped ? new Uint8Array(bytes) : undefined;
}

const bytes = checked(z.string(), function* (value) {
  if (decodeBase64(value) !== undefined) return;
  yield {
    path: [],
    message: 'Expected base64 with padding; plain text belongs into stringData (Secret) or data (ConfigMap)',
  };
});

const textEntries = textMap(configKeyProblem, z.string());
const byteEntries = textMap(configKeyProblem, bytes);

export const configMap = checked(
  manifestObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata,
    data: textEntries.nullish(),
    binaryData: byteEntries.nullish(),
    immutable: z.boolean().nullish(),
  }),
  function* ({ data, binaryData }): Iterable<Complaint> {
    for (const key of Object.keys(binaryData ?? {})) {
      if (!Object.hasOwn(data ?? {}, key)) continue;
      yield { path: ['binaryData', key], message: `The key '${key}' is in 'data' too`, part: 'key' };
    }
    yield* sizeComplaints([data, binaryData]);
  },
);

/** The keys that a type of Secret promises, as Kubernetes checks them. */
const REQUIRED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
]);

export const secret = checked(
  manifestObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Secret'),
    metadata,
    type: text().nullish(),
    data: byteEntries.nullish(),
    stringData: textEntries.nullish(),
    immutable: z.boolean().nullish(),
  }),
  function* ({ type, data, stringData }): Iterable<Complaint> {
    for (const key of REQUIRED_KEYS.get(type ?? '') ?? []) {
      if (Object.hasOwn(data ?? {}, key) || Object.hasOwn(stringData ?? {}, key)) continue;
      yield { path: ['type'], message: `A Secret of this type must have the key '${key}'` };
    }
    yield* sizeComplaints([data, stringData]);
  },
);

export type ConfigMapManifest = z.output<typeof configMap>;
export type SecretManifest = z.output<typeof secret>;

function* sizeComplaints(maps: readonly (Record<string, string> | null | undefined)[]): Iterable<Complaint> {
  const values = maps.flatMap((map) => Object.values(map ?? {}));
  const size = values.reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  if (size > MAX_BYTES) yield { path: [], message: `The entries are ${size} bytes together, at most ${MAX_BYTES}` };
}
