// One document → a manifest of a known kind, or everything that is wrong with it.
import { errorAt, spanAt, valueAt, type ManifestDocument } from './document.ts';
import type { ManifestError } from './manifest-error.ts';
import type { Manifest } from './manifest.ts';
import { quoted } from './quoted-text.ts';
import { schemaErrors } from './schema-errors.ts';
import { API_VERSIONS, isKind, SCHEMAS, unknownKindMessage, type Kind } from './schema/kinds.ts';

export type CheckedManifests = {
  readonly manifests: readonly Manifest[];
  /** The documents (or items of a List) that have mistakes. */
  readonly rejected: readonly ManifestDocument[];
  readonly errors: readonly ManifestError[];
};

/** Check one document; a List answers for each of its items. Never throws. */
export function checkManifest(document: ManifestDocument): CheckedManifests {
  const kind = kindOf(document);
  if (typeof kind !== 'string') return { manifests: [], rejected: [document], errors: kind };
  const result = SCHEMAS[kind].safeParse(document.value);
  const errors = result.success ? [] : schemaErrors(document, SCHEMAS[kind], result.error.issues);
  if (kind === 'List') return checkItems(document, errors);
  if (!result.success) return { manifests: [], rejected: [document], errors };
  return { manifests: [{ kind, value: result.data, document } as Manifest], rejected: [], errors: [] };
}

function kindOf(document: ManifestDocument): Kind | readonly ManifestError[] {
  const { value } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [errorAt(document, { path: [] }, 'Expected a manifest: a mapping with apiVersion and kind')];
  }
  const kind = valueAt(document, ['kind']);
  const apiVersion = valueAt(document, ['apiVersion']);
  const missing = Object.entries({ apiVersion, kind }).filter(([, given]) => typeof given !== 'string');
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') {
    const message = (field: string): string => `Every manifest needs ${field}, a string such as '${EXAMPLES[field]}'`;
    return missing.map(([field]) => errorAt(document, { path: [field] }, message(field)));
  }
  if (!isKind(kind)) return [errorAt(document, { path: ['kind'] }, unknownKindMessage(kind))];
  if (apiVersion === API_VERSIONS[kind]) return kind;
  const message = `A ${kind} needs apiVersion '${API_VERSIONS[kind]}', got ${quoted(apiVersion)}`;
  return [errorAt(document, { path: ['apiVersion'] }, message)];
}

const EXAMPLES: Readonly<Record<string, string>> = { apiVersion: 'v1', kind: 'Pod' };

function checkItems(list: ManifestDocument, errors: readonly ManifestError[]): CheckedManifests {
  const items = valueAt(list, ['items']);
  const checked = (Array.isArray(items) ? (items as unknown[]) : []).map((value, index) => {
    const path = ['items', index];
    return checkItem({ ...list, value, root: spanAt(list, path, 'value'), base: [...list.base, ...path] });
  });
  return {
    manifests: checked.flatMap((item) => item.manifests),
    rejected: checked.flatMap((item) => item.rejected),
    errors: [...errors, ...checked.flatMap((item) => item.errors)],
  };
}

function checkItem(item: ManifestDocument): CheckedManifests {
  if (valueAt(item, ['kind']) !== 'List') return checkManifest(item);
  const error = errorAt(item, { path: ['kind'] }, 'A List cannot contain another List');
  return { manifests: [], rejected: [], errors: [error] };
}
