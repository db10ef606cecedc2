// PersistentVolumeClaims: which are declared, and that those which pods name are among them.
import { DEFAULTS } from './defaults.ts';
import { errorAt, placeOf, valueAt, type ManifestDocument } from './document.ts';
import type { ManifestError } from './manifest-error.ts';
import type { ClaimKindManifest, Manifest, WorkloadManifest } from './manifest.ts';
import type { Claim } from './model.ts';
import { nearestName } from './nearest-name.ts';
import { podPart } from './to-workload.ts';

/** Whether a manifest is a PersistentVolumeClaim. */
export function isClaim(manifest: Manifest): manifest is ClaimKindManifest {
  return manifest.kind === 'PersistentVolumeClaim';
}

/** The claim that a manifest declares. */
export function toClaim({ value, document }: ClaimKindManifest): Claim {
  const { name, namespace } = value.metadata;
  return { namespace: namespace ?? DEFAULTS.namespace, name, position: placeOf(document, []) };
}

/** An error for every volume of the workload that names a claim of no manifest. A claim with mistakes (`rejected`) counts as there. */
export function claimErrors(
  manifest: WorkloadManifest,
  claims: readonly Claim[],
  rejected: readonly ManifestDocument[],
): readonly ManifestError[] {
  const namespace = manifest.value.metadata.namespace ?? DEFAULTS.namespace;
  const names = claims.filter((claim) => claim.namespace === namespace).map(({ name }) => name);
  const uncertain = rejected.filter((document) => valueAt(document, ['kind']) === 'PersistentVolumeClaim');
  const known = new Set([...names, ...uncertain.map((document) => valueAt(document, ['metadata', 'name']))]);
  const { spec, path, document } = podPart(manifest);
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }, index) => {
    if (!persistentVolumeClaim || known.has(persistentVolumeClaim.claimName)) return [];
    const { claimName } = persistentVolumeClaim;
    const guess = nearestName(claimName, names);
    const hint = guess === undefined ? '' : `; did you mean '${guess}'?`;
    const message = `There is no PersistentVolumeClaim '${claimName}' in namespace '${namespace}'${hint}`;
    return [errorAt(document, { path: [...path, 'volumes', index, 'persistentVolumeClaim', 'claimName'] }, message)];
  });
}
