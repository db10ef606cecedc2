// What a container belongs to, as labels of its record: how every process of berth finds its way from a container on this
// machine back to the pod and workload it is a part of. Written by berth alone, never taken from an image (SEC-10).
import { isPodOwner, type PodOwner } from './owner.ts';

export type ContainerIdentity = {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  /** What it is in its pod. */
  readonly role: 'init' | 'sidecar' | 'main';
  /** Who keeps it: a workload of a source, or `run` for `berth run`. */
  readonly owner: PodOwner;
  readonly workload: string;
  /** Content hash of the container at creation. */
  readonly hash: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly restarts: number;
  readonly crashes: number;
};

type Labels = Readonly<Record<string, string>>;

/** The labels of an identity: one `berth.<key>` a field. */
export function identityLabels(identity: ContainerIdentity): Labels {
  return Object.fromEntries(Object.entries(identity).map(([key, value]) => [`berth.${key}`, String(value)]));
}

/** The identity in the labels of a record, or undefined when the container is not berth's own (made by berth-oci). */
export function identityOf(labels: Labels): ContainerIdentity | undefined {
  const get = (key: keyof ContainerIdentity): string | undefined => labels[`berth.${key}`];
  const [namespace, pod, podUid, container, owner] = [
    get('namespace'),
    get('pod'),
    get('podUid'),
    get('container'),
    get('owner'),
  ];
  if (namespace === undefined || pod === undefined || podUid === undefined || container === undefined) return undefined;
  if (!isPodOwner(owner)) return undefined;
  return {
    namespace,
    pod,
    podUid,
    container,
    role: roleOf(get('role')),
    owner,
    workload: get('workload') ?? pod,
    hash: get('hash') ?? '',
    image: get('image') ?? '',
    imageDigest: get('imageDigest') ?? '',
    restarts: Number(get('restarts') ?? 0),
    crashes: Number(get('crashes') ?? 0),
  };
}

function roleOf(label: string | undefined): ContainerIdentity['role'] {
  return label === 'init' || label === 'sidecar' ? label : 'main';
}
