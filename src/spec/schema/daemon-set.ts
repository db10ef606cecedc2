// DaemonSet (apps/v1): one pod on this machine.
import * as z from 'zod';

import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject } from './manifest-object.ts';
import { ignoredStatus, metadata, templateMetadata } from './metadata.ts';
import { podSpec } from './pod.ts';
import { selector, selectorComplaints } from './selector.ts';

const TEMPLATE = 'spec.template.spec';

const daemonSetShape = manifestObject(
  { selector, template: manifestObject({ metadata: templateMetadata, spec: podSpec }) },
  {
    notYet: NOT_YET.daemonSet,
    elsewhere: { containers: TEMPLATE, volumes: TEMPLATE, replicas: "a Deployment's spec" },
  },
);

const daemonSetSpec = checked(daemonSetShape, function* (spec) {
  yield* selectorComplaints(spec);
  const { restartPolicy } = spec.template.spec;
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never') return;
  const message = "A DaemonSet keeps its pod running: only 'Always' is possible";
  yield { path: ['template', 'spec', 'restartPolicy'], message };
});

export const daemonSet = manifestObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('DaemonSet'),
  metadata,
  spec: daemonSetSpec,
  ...ignoredStatus,
});
