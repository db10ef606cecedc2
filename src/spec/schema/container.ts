// Container and ContainerPort.
import * as z from 'zod';

import { envEntry, envFromEntry } from './environment.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, duplicates, manifestObject, text, wholeNumber } from './manifest-object.ts';
import { addressProblem, labelNameProblem, portNameProblem } from './names.ts';
import { absolutePathProblem, normalizedPath } from './paths.ts';
import { imageProblem } from './image-name.ts';
import { endingProbe, lifecycle, portComplaints, readinessProbe } from './probe.ts';
import { resources } from './resources.ts';
import { containerSecurity } from './security.ts';
import { volumeMount } from './volume.ts';

const portNumber = wholeNumber(1, 65_535);

export const containerPort = manifestObject({
  name: text(portNameProblem).nullish(),
  containerPort: portNumber,
  hostPort: portNumber.nullish(),
  hostIP: text(addressProblem).nullish(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).nullish(),
});

const ports = checked(z.array(containerPort), (entries) =>
  duplicates(entries, { name: ({ name }) => name ?? undefined, field: ['name'], what: 'port name' }),
);

const volumeMounts = checked(z.array(volumeMount), (entries) =>
  duplicates(entries, {
    name: ({ mountPath }) => normalizedPath(mountPath),
    field: ['mountPath'],
    what: 'mount path',
  }),
);

const POD = 'the pod (beside containers)';

const containerFields = {
  name: text(labelNameProblem),
  image: text(imageProblem),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).nullish(),
  command: z.array(text()).nullish(),
  args: z.array(text()).nullish(),
  workingDir: text(absolutePathProblem).nullish(),
  ports: ports.nullish(),
  env: z.array(envEntry).nullish(),
  envFrom: z.array(envFromEntry).nullish(),
  resources: resources.nullish(),
  volumeMounts: volumeMounts.nullish(),
  securityContext: containerSecurity.nullish(),
  livenessProbe: endingProbe.nullish(),
  readinessProbe: readinessProbe.nullish(),
  startupProbe: endingProbe.nullish(),
  lifecycle: lifecycle.nullish(),
};

const elsewhere = { volumes: POD, hostNetwork: POD, hostname: POD, terminationGracePeriodSeconds: POD };

export const container = checked(
  manifestObject(containerFields, { notYet: NOT_YET.container, elsewhere }),
  portComplaints,
);

/** Runs before the others and ends; with restartPolicy Always it runs beside them instead (a sidecar). */
export const initContainer = checked(
  manifestObject(
    { ...containerFields, restartPolicy: z.literal('Always').nullish() },
    { notYet: NOT_YET.container.filter((name) => name !== 'restartPolicy'), elsewhere },
  ),
  function* (value) {
    yield* portComplaints(value);
    if (value.restartPolicy === 'Always') return;
    for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const) {
      const message = `An init container ends before the others start: ${field} needs restartPolicy Always`;
      if (value[field]) yield { path: [field], message, part: 'key' };
    }
  },
);

export type InitContainerManifest = z.output<typeof initContainer>;
export type ContainerManifest = z.output<typeof container>;
export type ContainerPortManifest = z.output<typeof containerPort>;
