// A volume of a checked manifest → Volume.
import { DEFAULTS, quantity } from './defaults.ts';
import type { ManifestDocument, Path } from './document.ts';
import type { Volume } from './model.ts';
import { toUnits } from './quantity.ts';
import type { VolumeManifest } from './schema/volume.ts';
import { toReference } from './to-container.ts';

/** The volume at `path`. */
export function toVolume(
  { name, emptyDir, hostPath, configMap, secret, persistentVolumeClaim }: VolumeManifest,
  { path, document }: { readonly path: Path; readonly document: ManifestDocument },
): Volume {
  if (hostPath) return { kind: 'hostPath', name, path: hostPath.path, type: hostPath.type ?? '' };
  if (persistentVolumeClaim) {
    const { claimName, readOnly } = persistentVolumeClaim;
    return { kind: 'claim', name, claim: claimName, readOnly: readOnly ?? false };
  }
  const config = configMap ?? secret;
  if (!config) {
    const medium = emptyDir?.medium === 'Memory' ? 'Memory' : '';
    return { kind: 'emptyDir', name, medium, sizeLimitBytes: quantity(emptyDir?.sizeLimit, toUnits) };
  }
  const [field, kind] = configMap ? (['configMap', 'ConfigMap'] as const) : (['secret', 'Secret'] as const);
  const nameField = configMap ? 'name' : 'secretName';
  const target = { kind, name: configMap?.name ?? secret?.secretName ?? '', optional: config.optional };
  return {
    kind: 'config',
    name,
    source: toReference(target, { path: [...path, field, nameField], document }),
    defaultMode: config.defaultMode ?? DEFAULTS.fileMode,
    items: config.items?.map((item) => ({ key: item.key, path: item.path, mode: item.mode ?? undefined })),
  };
}
