// Deployment (apps/v1).
import * as z from 'zod';

import { firstHostPort } from './host-ports.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject, wholeNumber } from './manifest-object.ts';
import { ignoredStatus, metadata, templateMetadata } from './metadata.ts';
import { podSpec } from './pod.ts';
import { selector, selectorComplaints } from './selector.ts';

/** Far beyond what one machine runs of one workload: a slip of the finger must not exhaust it. */
const MOST_REPLICAS = 1000;

const TEMPLATE = 'spec.template.spec';

const deploymentShape = manifestObject(
  {
    replicas: wholeNumber(0, MOST_REPLICAS).nullish(),
    selector,
    template: manifestObject({ metadata: templateMetadata, spec: podSpec }),
  },
  { notYet: NOT_YET.deployment, elsewhere: { containers: TEMPLATE, volumes: TEMPLATE, restartPolicy: TEMPLATE } },
);

const deploymentSpec = checked(deploymentShape, function* (spec) {
  yield* selectorComplaints(spec);
  const { restartPolicy } = spec.template.spec;
  if (restartPolicy === 'OnFailure' || restartPolicy === 'Never') {
    const message = "A Deployment keeps its pods running: only 'Always' is possible";
    yield { path: ['template', 'spec', 'restartPolicy'], message };
  }
  const hostPort = firstHostPort(spec.template.spec);
  if ((spec.replicas ?? 1) > 1 && hostPort !== undefined) {
    const message = `${spec.replicas} replicas cannot share one port of the machine`;
    yield { path: ['template', 'spec', ...hostPort], message };
  }
});

export const deployment = manifestObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: deploymentSpec,
  ...ignoredStatus,
});

export type DeploymentManifest = z.output<typeof deployment>;
