// Namespace (v1): accepted so that manifests made for a cluster need no change. It exists by being named.
import * as z from 'zod';

import { manifestObject, text } from './manifest-object.ts';
import { ignoredStatus, metadata } from './metadata.ts';
import { labelNameProblem } from './names.ts';

const { namespace: _none, ...fields } = metadata.shape;

export const namespace = manifestObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Namespace'),
  metadata: manifestObject(
    { ...fields, name: text(labelNameProblem) },
    { notYet: [], elsewhere: { namespace: 'what is in the namespace' } },
  ),
  /** A record of the API server: what must be cleared away before a namespace is gone. */
  spec: manifestObject({ finalizers: z.unknown().optional() }).nullish(),
  ...ignoredStatus,
});
