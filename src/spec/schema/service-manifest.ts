// Service: one address, and ports of this machine, for all ready pods with certain labels.
import * as z from 'zod';

import { quoted } from '../quoted-text.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, duplicates, manifestObject, text, textMap, wholeNumber } from './manifest-object.ts';
import { ignoredStatus, metadata } from './metadata.ts';
import { labelNameProblem, labelValueProblem, portNameProblem, qualifiedNameProblem } from './names.ts';

const PORT_MAX = 65535;
/** Kubernetes' own default range: above what programs listen on, and in front of what clients are given. */
const NODE_PORTS = { least: 30000, most: 32767 };

const targetPort = z.union([wholeNumber(1, PORT_MAX), text(portNameProblem)]);

const servicePort = manifestObject(
  {
    name: text(labelNameProblem).nullish(),
    port: wholeNumber(1, PORT_MAX),
    targetPort: targetPort.nullish(),
    nodePort: wholeNumber(NODE_PORTS.least, NODE_PORTS.most).nullish(),
    protocol: z.enum(['TCP', 'UDP', 'SCTP']).nullish(),
  },
  { notYet: NOT_YET.servicePort },
);

const serviceType = checked(z.string(), function* (type) {
  if (type === 'ClusterIP' || type === 'NodePort') return;
  yield { path: [], message: `Expected 'ClusterIP' or 'NodePort', got ${quoted(type)}` };
});

const selector = checked(textMap(qualifiedNameProblem, text(labelValueProblem)), function* (labels) {
  if (Object.keys(labels).length > 0) return;
  yield { path: [], message: 'Give at least one label: berth finds the pods of a Service by them' };
});

const sessionAffinity = checked(z.enum(['None', 'ClientIP']), function* (affinity) {
  if (affinity === 'ClientIP') yield { path: [], message: "'ClientIP' is not supported yet" };
});

const serviceSpec = checked(
  manifestObject(
    {
      type: serviceType.nullish(),
      selector,
      ports: z.array(servicePort).min(1),
      sessionAffinity: sessionAffinity.nullish(),
    },
    { notYet: NOT_YET.service },
  ),
  function* ({ type, ports }) {
    const taken = { name: portKey, field: ['port'], what: 'port' };
    for (const complaint of [
      ...duplicates(ports, taken),
      ...duplicates(ports, { name: ({ name }) => name ?? undefined, field: ['name'], what: 'port name' }),
    ])
      yield { ...complaint, path: ['ports', ...complaint.path] };
    for (const [index, { name, nodePort }] of ports.entries()) {
      if (ports.length > 1 && !name) {
        yield { path: ['ports', index], message: 'A port of a Service with several ports needs a name' };
      }
      if (type === 'NodePort' && !nodePort) {
        const message = `Give a nodePort from ${NODE_PORTS.least} to ${NODE_PORTS.most}: berth chooses none`;
        yield { path: ['ports', index], message };
      }
      if (type !== 'NodePort' && nodePort) {
        yield { path: ['ports', index, 'nodePort'], message: "A nodePort needs 'type: NodePort'" };
      }
    }
  },
);

function portKey({ port, protocol }: { port: number; protocol?: string | null | undefined }): string {
  return `${port}/${protocol ?? 'TCP'}`;
}

export const service = manifestObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: serviceSpec,
  ...ignoredStatus,
});
