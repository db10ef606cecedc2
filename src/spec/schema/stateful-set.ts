// StatefulSet (apps/v1): pods with an order, and volumes of their own.
import * as z from 'zod';

import { claimSpec } from './claim.ts';
import { firstHostPort } from './host-ports.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, duplicates, manifestObject, text, wholeNumber } from './manifest-object.ts';
import { ignoredStatus, metadata, templateMetadata } from './metadata.ts';
import { labelNameProblem } from './names.ts';
import { podComplaints, podShape } from './pod.ts';
import { selector, selectorComplaints } from './selector.ts';

const MOST_REPLICAS = 1000;
const TEMPLATE = 'spec.template.spec';

/** The namespace is that of the pods. */
const { namespace: _none, ...fields } = metadata.shape;

const claimTemplate = manifestObject({
  apiVersion: z.literal('v1').nullish(),
  kind: z.literal('PersistentVolumeClaim').nullish(),
  metadata: manifestObject({ ...fields, name: text(labelNameProblem) }, { notYet: NOT_YET.metadata }),
  spec: claimSpec,
  ...ignoredStatus,
});

const claimTemplates = checked(z.array(claimTemplate), (entries) =>
  duplicates(entries, { name: (entry) => entry.metadata.name, field: ['metadata', 'name'], what: 'volume name' }),
);

const statefulSetShape = manifestObject(
  {
    replicas: wholeNumber(0, MOST_REPLICAS).nullish(),
    selector,
    serviceName: text(labelNameProblem).nullish(),
    podManagementPolicy: z.enum(['OrderedReady', 'Parallel']).nullish(),
    updateStrategy: manifestObject(
      { type: z.literal('RollingUpdate').nullish() },
      { notYet: ['rollingUpdate'] },
    ).nullish(),
    volumeClaimTemplates: claimTemplates.nullish(),
    template: manifestObject({ metadata: templateMetadata, spec: podShape }),
  },
  { notYet: NOT_YET.statefulSet, elsewhere: { containers: TEMPLATE, volumes: TEMPLATE, restartPolicy: TEMPLATE } },
);

const statefulSetSpec = checked(statefulSetShape, function* (spec) {
  yield* selectorComplaints(spec);
  const pod = spec.template.spec;
  const claims = (spec.volumeClaimTemplates ?? []).map((entry) => entry.metadata.name);
  for (const complaint of podComplaints(pod, claims)) {
    yield { ...complaint, path: ['template', 'spec', ...complaint.path] };
  }
  for (const [index, { name }] of (pod.volumes ?? []).entries()) {
    if (!claims.includes(name)) continue;
    const message = `A volumeClaimTemplate is called '${name}' too`;
    yield { path: ['template', 'spec', 'volumes', index, 'name'], message };
  }
  if (pod.restartPolicy === 'OnFailure' || pod.restartPolicy === 'Never') {
    const message = "A StatefulSet keeps its pods running: only 'Always' is possible";
    yield { path: ['template', 'spec', 'restartPolicy'], message };
  }
  const hostPort = firstHostPort(pod);
  if ((spec.replicas ?? 1) > 1 && hostPort !== undefined) {
    const message = `${spec.replicas} replicas cannot share one port of the machine`;
    yield { path: ['template', 'spec', ...hostPort], message };
  }
});

export const statefulSet = manifestObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('StatefulSet'),
  metadata,
  spec: statefulSetSpec,
  ...ignoredStatus,
});

export type StatefulSetManifest = z.output<typeof statefulSet>;
