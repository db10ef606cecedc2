// PodSpec and Pod, with the checks that look at more than one field.
import * as z from 'zod';

import { container, initContainer, type ContainerManifest } from './container.ts';
import { containersOf } from './containers-of.ts';
import { hostPortComplaints } from './host-ports.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, duplicates, manifestObject, text, wholeNumber, type Complaint } from './manifest-object.ts';
import { ignoredStatus, metadata } from './metadata.ts';
import { labelNameProblem } from './names.ts';
import { dnsConfig, dnsPolicy, hostAliases, isOfNetwork } from './pod-network.ts';
import { podSecurity } from './security.ts';
import { volume } from './volume.ts';

/** A day of grace is more than any shutdown needs; beyond it stands a slip. */
const MOST_GRACE_SECONDS = 86_400;

const containers = checked(z.array(container), function* (entries) {
  if (entries.length === 0) yield { path: [], message: 'A pod needs at least one container' };
  yield* duplicates(entries, { name: ({ name }) => name, field: ['name'], what: 'container name' });
});

const initContainers = checked(z.array(initContainer), (entries) =>
  duplicates(entries, { name: ({ name }) => name, field: ['name'], what: 'container name' }),
);

const volumes = checked(z.array(volume), (entries) =>
  duplicates(entries, { name: ({ name }) => name, field: ['name'], what: 'volume name' }),
);

const CONTAINER = 'a container (an entry of containers)';
const CONTAINER_FIELDS = ['image', 'imagePullPolicy', 'command', 'args', 'workingDir', 'ports', 'env', 'envFrom'];

export const podShape = manifestObject(
  {
    containers,
    initContainers: initContainers.nullish(),
    volumes: volumes.nullish(),
    restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).nullish(),
    terminationGracePeriodSeconds: wholeNumber(0, MOST_GRACE_SECONDS).nullish(),
    hostNetwork: z.boolean().nullish(),
    hostPID: z.boolean().nullish(),
    hostIPC: z.boolean().nullish(),
    hostAliases: hostAliases.nullish(),
    dnsPolicy: dnsPolicy.nullish(),
    dnsConfig: dnsConfig.nullish(),
    hostname: text(labelNameProblem).nullish(),
    securityContext: podSecurity.nullish(),
  },
  {
    notYet: NOT_YET.pod,
    elsewhere: {
      ...Object.fromEntries([...CONTAINER_FIELDS, 'volumeMounts'].map((name) => [name, CONTAINER])),
      replicas: "a Deployment's spec",
    },
  },
);

export type PodSpecManifest = z.output<typeof podShape>;

export const podSpec = checked(podShape, (spec) => podComplaints(spec));

/** What is wrong with a pod beyond the types of its fields. `volumes`: names of volumes that come from elsewhere. */
export function* podComplaints(spec: PodSpecManifest, volumes: readonly string[] = []): Iterable<Complaint> {
  for (const { entry, path } of containersOf(spec)) {
    for (const complaint of [...mountComplaints(entry, spec, volumes), ...rootComplaints(entry, spec)]) {
      yield { ...complaint, path: [...path, ...complaint.path] };
    }
  }
  yield* sharedNames(spec);
  yield* hostPortComplaints(spec);
  yield* sysctlComplaints(spec);
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length) {
    yield { path: ['dnsPolicy'], message: "dnsPolicy 'None' needs name servers in dnsConfig.nameservers" };
  }
}

function* sharedNames({ initContainers: first, containers: others }: PodSpecManifest): Iterable<Complaint> {
  const names = new Set((first ?? []).map(({ name }) => name));
  for (const [index, { name }] of others.entries()) {
    if (!names.has(name)) continue;
    yield { path: ['containers', index, 'name'], message: `An init container is called '${name}' too` };
  }
}

export const pod = manifestObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Pod'),
  metadata,
  spec: podSpec,
  ...ignoredStatus,
});

export type PodManifest = z.output<typeof pod>;

/** With the machine's namespace it would be the machine's parameter. */
function* sysctlComplaints({ securityContext, hostNetwork, hostIPC }: PodSpecManifest): Iterable<Complaint> {
  for (const [index, { name }] of (securityContext?.sysctls ?? []).entries()) {
    const field = isOfNetwork(name) ? 'hostNetwork' : 'hostIPC';
    if ((field === 'hostNetwork' ? hostNetwork : hostIPC) !== true) continue;
    const message = `With ${field} this would be the machine's own parameter`;
    yield { path: ['securityContext', 'sysctls', index, 'name'], message };
  }
}

function* mountComplaints(
  container: ContainerManifest,
  { volumes }: PodSpecManifest,
  others: readonly string[],
): Iterable<Complaint> {
  const { volumeMounts, securityContext } = container;
  const declared = new Set([...(volumes ?? []).map(({ name }) => name), ...others]);
  for (const [index, mount] of (volumeMounts ?? []).entries()) {
    if (mount.mountPropagation === 'Bidirectional' && securityContext?.privileged !== true) {
      yield {
        path: ['volumeMounts', index, 'mountPropagation'],
        message: "'Bidirectional' mounts on this machine: it needs securityContext.privileged: true",
      };
    }
    const isRecursive = mount.recursiveReadOnly === 'Enabled' || mount.recursiveReadOnly === 'IfPossible';
    if (isRecursive && mount.readOnly !== true) {
      yield {
        path: ['volumeMounts', index, 'recursiveReadOnly'],
        message: `'${mount.recursiveReadOnly}' needs readOnly: true`,
      };
    }
    if (declared.has(mount.name)) continue;
    yield {
      path: ['volumeMounts', index, 'name'],
      message: `The volume '${mount.name}' is not declared in the pod's volumes`,
    };
  }
}

function* rootComplaints({ securityContext }: ContainerManifest, spec: PodSpecManifest): Iterable<Complaint> {
  const nonRoot = securityContext?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot;
  const user = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
  if (nonRoot !== true || user !== 0) return;
  yield { path: ['securityContext', 'runAsUser'], message: "runAsUser 0 is root, which 'runAsNonRoot: true' forbids" };
}
