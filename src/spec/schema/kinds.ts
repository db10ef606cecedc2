// Which kinds there are, and what to say about the others.
import * as z from 'zod';

import { nearestName } from '../nearest-name.ts';
import { quoted } from '../quoted-text.ts';
import { persistentVolumeClaim } from './claim.ts';
import { configMap, secret } from './config.ts';
import { daemonSet } from './daemon-set.ts';
import { deployment } from './deployment.ts';
import { job } from './job.ts';
import { KINDS_NOT_YET } from './kubernetes-fields.ts';
import { manifestObject } from './manifest-object.ts';
import { listMetadata } from './metadata.ts';
import { namespace } from './namespace.ts';
import { pod } from './pod.ts';
import { service } from './service-manifest.ts';
import { statefulSet } from './stateful-set.ts';

const list = manifestObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('List'),
  metadata: listMetadata.nullish(),
  items: z.array(z.unknown()),
});

/** The kinds, each with its schema. */
export const SCHEMAS = {
  Pod: pod,
  Deployment: deployment,
  DaemonSet: daemonSet,
  StatefulSet: statefulSet,
  Job: job,
  ConfigMap: configMap,
  Secret: secret,
  PersistentVolumeClaim: persistentVolumeClaim,
  Service: service,
  Namespace: namespace,
  List: list,
} as const;

export type Kind = keyof typeof SCHEMAS;

export const API_VERSIONS: Readonly<Record<Kind, string>> = {
  Pod: 'v1',
  Deployment: 'apps/v1',
  DaemonSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  Job: 'batch/v1',
  ConfigMap: 'v1',
  Secret: 'v1',
  PersistentVolumeClaim: 'v1',
  Service: 'v1',
  Namespace: 'v1',
  List: 'v1',
};

/** Whether berth has this kind. */
export function isKind(kind: string): kind is Kind {
  return Object.hasOwn(SCHEMAS, kind);
}

/** What to say about a kind that berth does not have. */
export function unknownKindMessage(kind: string): string {
  if (KINDS_NOT_YET.has(kind)) return `The kind '${kind}' is not supported yet`;
  if (kind.endsWith('List') && isKind(kind.slice(0, -4))) return `Write 'List' instead of '${kind}'`;
  const guess = nearestName(kind, [...Object.keys(SCHEMAS), ...KINDS_NOT_YET.keys()]);
  if (guess === undefined) return `Unknown kind ${quoted(kind)}; berth knows ${Object.keys(SCHEMAS).join(', ')}`;
  const note = isKind(guess) ? '' : ' (which is not supported yet)';
  return `Unknown kind ${quoted(kind)}; did you mean '${guess}'${note}?`;
}
