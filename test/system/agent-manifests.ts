// Manifests for agents under test. JSON is YAML: what a test means is written once, as data.

export type ManifestObject = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

export const BUSYBOX = 'localhost/busybox:1';
/** Runs until it is asked to end, and then ends at once. */
export const SLEEP: readonly string[] = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000000 & wait'];

/** Documents as one YAML text. */
export function yaml(...objects: readonly ManifestObject[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

/** A container of the busybox image that sleeps, unless `fields` say otherwise. */
export function container(name: string, fields: Fields = {}): ManifestObject {
  return { name, image: BUSYBOX, command: SLEEP, ...fields };
}

/** A Pod with the machine's network and a short grace, unless `spec` says otherwise. */
export function pod(name: string, containers: readonly ManifestObject[], spec: Fields = {}): ManifestObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(containers, spec) };
}

/** A Deployment of such pods. */
export function deployment(
  name: string,
  { replicas, ...spec }: { readonly replicas: number } & Fields,
  containers: readonly ManifestObject[],
): ManifestObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(containers, spec) },
    },
  };
}

/** A Job of such pods. */
export function job(name: string, fields: Fields, containers: readonly ManifestObject[], spec: Fields): ManifestObject {
  const template = { spec: podSpec(containers, spec) };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { ...fields, template } };
}

export function configMap(name: string, data: Readonly<Record<string, string>>): ManifestObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

function podSpec(containers: readonly ManifestObject[], spec: Fields): ManifestObject {
  return { hostNetwork: true, terminationGracePeriodSeconds: 2, ...spec, containers };
}
