// Who keeps a pod: the kinds of workloads that sources declare (src/spec/model.ts), or `run` for `berth run`.
const OWNERS = ['Pod', 'Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'run'] as const;

export type PodOwner = (typeof OWNERS)[number];

/** Whether a label or record names an owner that this version knows. */
export function isPodOwner(text: string | undefined): text is PodOwner {
  return OWNERS.some((owner) => owner === text);
}
