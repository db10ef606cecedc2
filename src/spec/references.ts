// The ConfigMaps and Secrets that pods name must exist, with the keys they name: found out before anything is stopped.
import type { ConfigCatalog } from './config-catalog.ts';
import { DEFAULTS } from './defaults.ts';
import { errorAt, type ManifestDocument, type Path } from './document.ts';
import { environmentText } from './environment-text.ts';
import type { ManifestError } from './manifest-error.ts';
import type { WorkloadManifest } from './manifest.ts';
import type { ConfigData, ConfigReference } from './model.ts';
import { nearestName } from './nearest-name.ts';
import { containersOf } from './schema/containers-of.ts';
import { podPart } from './to-workload.ts';

/** One place of a pod that names a ConfigMap or Secret. */
type Use = {
  readonly kind: ConfigReference['kind'];
  readonly name: string;
  readonly namePath: Path;
  readonly optional: boolean;
  readonly keys: readonly { readonly key: string; readonly path: Path; readonly asVariable: boolean }[];
};

/** An error for every reference of the workload, not marked optional, to something that the catalog does not have. */
export function referenceErrors(
  manifest: WorkloadManifest,
  { find, names }: Pick<ConfigCatalog, 'find' | 'names'>,
): readonly ManifestError[] {
  const { document } = manifest;
  const namespace = manifest.value.metadata.namespace ?? DEFAULTS.namespace;
  return [...environmentUses(manifest), ...volumeUses(manifest)].flatMap((use) => {
    const config = find(use.kind, namespace, use.name);
    if (config === 'uncertain') return [];
    if (config !== undefined) return [...keyErrors(use, config, document)];
    return use.optional ? [] : [missingError(use, { document, namespace, names: names(use.kind, namespace) })];
  });
}

function missingError(
  { kind, name, namePath }: Use,
  { document, namespace, names }: { document: ManifestDocument; namespace: string; names: readonly string[] },
): ManifestError {
  const guess = nearestName(name, names);
  const hint = guess === undefined ? '' : `; did you mean '${guess}'?`;
  const message = `There is no ${kind} '${name}' in namespace '${namespace}'${hint}`;
  return errorAt(document, { path: namePath }, message);
}

function* keyErrors(use: Use, config: ConfigData, document: ManifestDocument): Iterable<ManifestError> {
  for (const { key, path, asVariable } of use.keys) {
    const bytes = config.entries.get(key);
    if (bytes === undefined) {
      if (use.optional) continue;
      const guess = nearestName(key, config.entries.keys());
      const hint = guess === undefined ? '' : `; did you mean '${guess}'?`;
      yield errorAt(document, { path }, `The ${use.kind} '${use.name}' has no key '${key}'${hint}`);
    } else if (asVariable && environmentText(bytes) === undefined) {
      const message = `The value of '${key}' in the ${use.kind} '${use.name}' is not text that a variable can hold`;
      yield errorAt(document, { path }, message);
    }
  }
}

function* environmentUses(manifest: WorkloadManifest): Iterable<Use> {
  const { spec, path: podPath } = podPart(manifest);
  for (const { entry, path: containerPath } of containersOf(spec)) {
    const { env, envFrom } = entry;
    const container = [...podPath, ...containerPath];
    for (const [entryIndex, { configMapRef, secretRef }] of (envFrom ?? []).entries()) {
      const path = [...container, 'envFrom', entryIndex];
      if (configMapRef) yield use('ConfigMap', configMapRef, [...path, 'configMapRef', 'name']);
      if (secretRef) yield use('Secret', secretRef, [...path, 'secretRef', 'name']);
    }
    for (const [entryIndex, { valueFrom }] of (env ?? []).entries()) {
      const path = [...container, 'env', entryIndex, 'valueFrom'];
      const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
      if (configMapKeyRef) yield keyUse('ConfigMap', configMapKeyRef, [...path, 'configMapKeyRef']);
      if (secretKeyRef) yield keyUse('Secret', secretKeyRef, [...path, 'secretKeyRef']);
    }
  }
}

function* volumeUses(manifest: WorkloadManifest): Iterable<Use> {
  const { spec, path: podPath } = podPart(manifest);
  for (const [index, { configMap, secret }] of (spec.volumes ?? []).entries()) {
    const volume = [...podPath, 'volumes', index];
    if (configMap) {
      const path = [...volume, 'configMap'];
      yield { ...use('ConfigMap', configMap, [...path, 'name']), keys: itemKeys(configMap.items, path) };
    }
    if (secret) {
      const path = [...volume, 'secret'];
      const named = { name: secret.secretName, optional: secret.optional };
      yield { ...use('Secret', named, [...path, 'secretName']), keys: itemKeys(secret.items, path) };
    }
  }
}

type Named = { readonly name: string; readonly optional?: boolean | null | undefined };

function use(kind: Use['kind'], { name, optional }: Named, namePath: Path): Use {
  return { kind, name, namePath, optional: optional ?? false, keys: [] };
}

function keyUse(kind: Use['kind'], reference: Named & { readonly key: string }, path: Path): Use {
  const keys = [{ key: reference.key, path: [...path, 'key'], asVariable: true }];
  return { ...use(kind, reference, [...path, 'name']), keys };
}

function itemKeys(items: readonly { readonly key: string }[] | null | undefined, path: Path): Use['keys'] {
  return (items ?? []).map(({ key }, index) => ({ key, path: [...path, 'items', index, 'key'], asVariable: false }));
}
