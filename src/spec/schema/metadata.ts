// ObjectMeta, and the fields of objects that berth accepts and does nothing with.
import * as z from 'zod';

import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject, text, textMap } from './manifest-object.ts';
import { labelNameProblem, labelValueProblem, qualifiedNameProblem, subdomainProblem } from './names.ts';

/**
 * The explicit table of ignored fields: records of an API server, which `kubectl get -o yaml` prints and which mean
 * nothing where there is none. Nothing else is ever ignored.
 */
const ignored = z.unknown().optional();

export const ignoredStatus = { status: ignored };

const ignoredMetadata = {
  creationTimestamp: ignored,
  uid: ignored,
  resourceVersion: ignored,
  generation: ignored,
  managedFields: ignored,
};

/** What Kubernetes allows for all annotations of one object together. */
const MAX_ANNOTATION_BYTES = 256 * 1024;

export const labels = textMap(qualifiedNameProblem, text(labelValueProblem));

export const annotations = checked(textMap(qualifiedNameProblem, text()), function* (map) {
  const bytes = Object.entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  if (bytes > MAX_ANNOTATION_BYTES) {
    yield { path: [], message: `The annotations are ${bytes} bytes together, at most ${MAX_ANNOTATION_BYTES}` };
  }
});

export const metadata = manifestObject(
  {
    name: text(subdomainProblem),
    namespace: text(labelNameProblem).nullish(),
    labels: labels.nullish(),
    annotations: annotations.nullish(),
    ...ignoredMetadata,
  },
  { notYet: NOT_YET.metadata },
);

/** Of a pod template: the pods' names and namespace come from the workload. */
export const templateMetadata = manifestObject(
  { labels: labels.nullish(), annotations: annotations.nullish(), creationTimestamp: z.null().optional() },
  { notYet: NOT_YET.templateMetadata },
);

export const listMetadata = manifestObject({ resourceVersion: ignored });

export type Metadata = z.output<typeof metadata>;
