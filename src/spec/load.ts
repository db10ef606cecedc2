// All manifests of one source → what is desired, or all that is wrong with them.
import { checkManifest } from './check-manifest.ts';
import { claimErrors, isClaim, toClaim } from './claims.ts';
import { configCatalog } from './config-catalog.ts';
import { DEFAULTS } from './defaults.ts';
import { errorAt, placeOf } from './document.ts';
import { compareErrors, ManifestError } from './manifest-error.ts';
import type { Manifest } from './manifest.ts';
import type { Desired } from './model.ts';
import { readManifests, type ManifestFile } from './read-manifests.ts';
import { referenceErrors } from './references.ts';
import { isService, nodePortErrors, toService } from './services.ts';
import { isConfig } from './to-config-data.ts';
import { claimsOf, isWorkload, toWorkload } from './to-workload.ts';
import { MAX_ERRORS } from './yaml/limits.ts';

export type LoadedManifests = { readonly desired: Desired } | { readonly errors: readonly ManifestError[] };

/**
 * Read, check and normalise all files together: names must be unique and references must lead somewhere within them.
 * Pure. Errors come sorted by file and place, of all files at once, the first 500 of each file.
 */
export function loadManifests(files: readonly ManifestFile[]): LoadedManifests {
  const read = files.map(readManifests);
  const checked = read.flatMap(({ documents }) => documents.map(checkManifest));
  const manifests = checked.flatMap((document) => document.manifests);
  const workloads = manifests.filter(isWorkload);
  const errors = [...read, ...checked].flatMap((part) => part.errors);
  const services = manifests.filter(isService);
  errors.push(...duplicateErrors(manifests), ...nodePortErrors(services));

  const rejected = checked.flatMap((document) => document.rejected);
  const catalog = configCatalog(manifests.filter(isConfig), rejected);
  const claims = manifests.filter(isClaim).map(toClaim);
  // Text that could not be read at all may hold the very thing that is referred to: do not blame the reference.
  const complete = read.every((file) => file.errors.length === 0);
  if (complete) {
    errors.push(...workloads.flatMap((manifest) => referenceErrors(manifest, catalog)));
    errors.push(...workloads.flatMap((manifest) => claimErrors(manifest, claims, rejected)));
  }
  if (errors.length > 0) return { errors: firstOfEachFile(errors.sort(compareErrors)) };
  return {
    desired: {
      workloads: workloads.map(toWorkload),
      configMaps: catalog.all('ConfigMap'),
      secrets: catalog.all('Secret'),
      claims: [...claims, ...workloads.flatMap(claimsOf)],
      services: services.map(toService),
    },
  };
}

/** An error for every manifest that has the kind, namespace and name of one before it. */
function* duplicateErrors(manifests: readonly Manifest[]): Iterable<ManifestError> {
  const seen = new Map<string, Manifest>();
  for (const manifest of manifests) {
    const { document } = manifest;
    const identity = identityOf(manifest);
    const first = seen.get(identity);
    if (first === undefined) {
      seen.set(identity, manifest);
      continue;
    }
    const { file, line, column } = placeOf(first.document, ['metadata', 'name']);
    const message = `The ${identity} is already declared at ${file}:${line}:${column}`;
    yield errorAt(document, { path: ['metadata', 'name'] }, message);
  }
}

function identityOf(manifest: Manifest): string {
  const { name } = manifest.value.metadata;
  if (manifest.kind === 'Namespace') return `Namespace '${name}'`;
  return `${manifest.kind} '${name}' in namespace '${manifest.value.metadata.namespace ?? DEFAULTS.namespace}'`;
}

/** Sorted errors without those beyond the limit of their file; one more says how many there are. */
function firstOfEachFile(sorted: readonly ManifestError[]): readonly ManifestError[] {
  const byFile = Map.groupBy(sorted, ({ file }) => file);
  return [...byFile.values()].flatMap((errors) => {
    const hidden = errors.slice(MAX_ERRORS);
    const [first] = hidden;
    if (first === undefined) return errors;
    const { file, line, column } = first;
    const note = `This and ${hidden.length - 1} more errors from here on are not shown`;
    return [...errors.slice(0, MAX_ERRORS), new ManifestError({ file, line, column, path: '' }, note)];
  });
}
