// The ConfigMaps and Secrets of one source, to look references up in.
import { DEFAULTS } from './defaults.ts';
import { valueAt, type ManifestDocument } from './document.ts';
import type { ConfigManifest } from './manifest.ts';
import type { ConfigData, ConfigReference } from './model.ts';
import { toConfigData } from './to-config-data.ts';

type ConfigKind = ConfigReference['kind'];

export type ConfigCatalog = {
  /** What a reference leads to; `uncertain` when it is declared with mistakes, so that its keys are not known. */
  readonly find: (kind: ConfigKind, namespace: string, name: string) => ConfigData | 'uncertain' | undefined;
  /** Names declared in a namespace, for suggestions: not all where there are very many. */
  readonly names: (kind: ConfigKind, namespace: string) => readonly string[];
  readonly all: (kind: ConfigKind) => readonly ConfigData[];
};

const MOST_SUGGESTIONS = 100;

/** `rejected`: documents with mistakes. Where two manifests have one name, the first counts. */
export function configCatalog(
  manifests: readonly ConfigManifest[],
  rejected: readonly ManifestDocument[],
): ConfigCatalog {
  const entries = manifests.map((manifest) => ({ kind: manifest.kind, data: toConfigData(manifest) }));
  const known = new Map(
    entries.toReversed().map(({ kind, data }) => [identity(kind, data.namespace, data.name), data]),
  );
  const uncertain = new Set(rejected.map(rejectedIdentity));
  const byNamespace = Map.groupBy(entries, ({ kind, data }) => `${kind} ${data.namespace}`);
  const names = new Map([...byNamespace].map(([key, group]) => [key, group.map(({ data }) => data.name)]));
  const all = (kind: ConfigKind): ConfigData[] =>
    entries.filter((entry) => entry.kind === kind).map(({ data }) => data);
  return {
    find: (kind, namespace, name) => {
      const key = identity(kind, namespace, name);
      return known.get(key) ?? (uncertain.has(key) ? 'uncertain' : undefined);
    },
    names: (kind, namespace) => names.get(`${kind} ${namespace}`)?.slice(0, MOST_SUGGESTIONS) ?? [],
    all,
  };
}

function identity(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace} ${name}`;
}

function rejectedIdentity(document: ManifestDocument): string {
  const [kind, name] = [valueAt(document, ['kind']), valueAt(document, ['metadata', 'name'])];
  const namespace = valueAt(document, ['metadata', 'namespace']) ?? DEFAULTS.namespace;
  return [kind, namespace, name].map((part) => (typeof part === 'string' ? part : '')).join(' ');
}
