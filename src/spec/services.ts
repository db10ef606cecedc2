// Services: which are declared, and that no two want one port of the machine.
import { DEFAULTS } from './defaults.ts';
import { errorAt, placeOf } from './document.ts';
import type { ManifestError } from './manifest-error.ts';
import type { Manifest, ServiceKindManifest } from './manifest.ts';
import type { Service } from './model.ts';

/** Whether a manifest is a Service. */
export function isService(manifest: Manifest): manifest is ServiceKindManifest {
  return manifest.kind === 'Service';
}

/** The Service that a manifest declares. */
export function toService({ value, document }: ServiceKindManifest): Service {
  const { name, namespace } = value.metadata;
  const { selector, ports } = value.spec;
  return {
    namespace: namespace ?? DEFAULTS.namespace,
    name,
    selector,
    ports: ports.map(({ port, targetPort, nodePort, protocol }) => ({
      port,
      targetPort: targetPort ?? port,
      nodePort: nodePort ?? undefined,
      protocol: protocol ?? 'TCP',
    })),
    position: placeOf(document, []),
  };
}

/** An error for every nodePort that another port has already. */
export function* nodePortErrors(manifests: readonly ServiceKindManifest[]): Iterable<ManifestError> {
  const owners = new Map<string, string>();
  for (const { value, document } of manifests) {
    const owner = `${value.metadata.namespace ?? DEFAULTS.namespace}/${value.metadata.name}`;
    for (const [index, { nodePort, protocol }] of value.spec.ports.entries()) {
      if (!nodePort) continue;
      const key = `${nodePort}/${protocol ?? 'TCP'}`;
      const other = owners.get(key);
      if (other === undefined) owners.set(key, owner);
      else {
        const path = ['spec', 'ports', index, 'nodePort'];
        yield errorAt(document, { path }, `The nodePort ${key} is already taken by Service '${other}'`);
      }
    }
  }
}
