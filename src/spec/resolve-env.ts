// The environment, command and arguments that a container really gets.
import { environmentText } from './environment-text.ts';
import { expandVariables } from './expand-variables.ts';
import { parseFieldPath } from './field-path.ts';
import type { ConfigData, ConfigReference, ContainerSpec, EnvEntry, Resources } from './model.ts';
import { resourceValue, type Capacity } from './resource-field.ts';

/** What a pod can tell its containers about itself. */
export type PodFacts = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nodeName: string;
  readonly podIP: string;
  readonly hostIP: string;
  /** Of the machine: what a container without limits can have at most. */
  readonly capacity?: Capacity;
};

/** The ConfigMap or Secret that a reference of the pod leads to, or undefined when there is none. */
export type ResolveConfig = (source: ConfigReference) => ConfigData | undefined;

/**
 * Name → value, in the order that variables are first set; a later entry wins. `$(VAR)` in a value sees the variables
 * before it. Entries of a whole ConfigMap or Secret that no variable can hold (not UTF-8, or with NUL) are left out, as
 * Kubernetes leaves out `binaryData`. Throws an Error when a reference that is not optional leads nowhere: loadManifests
 * has ruled that out for what it loaded.
 */
export function resolveEnvironment(
  { env, resources }: Pick<ContainerSpec, 'env'> & Partial<Pick<ContainerSpec, 'resources'>>,
  { facts, config }: { readonly facts: PodFacts; readonly config: ResolveConfig },
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const entry of env) {
    for (const [name, value] of entryVariables(entry, { variables, facts, config, resources }))
      variables.set(name, value);
  }
  return variables;
}

/** `command` or `args` with their `$(VAR)` replaced. */
export function resolveArguments(
  words: readonly string[],
  environment: ReadonlyMap<string, string>,
): readonly string[] {
  return words.map((word) => expandVariables(word, environment));
}

type Known = {
  readonly variables: ReadonlyMap<string, string>;
  readonly facts: PodFacts;
  readonly config: ResolveConfig;
  readonly resources: Resources | undefined;
};

function* entryVariables(entry: EnvEntry, known: Known): Iterable<readonly [string, string]> {
  switch (entry.from) {
    case 'value':
      return yield [entry.name, expandVariables(entry.value, known.variables)];
    case 'field':
      return yield [entry.name, fieldValue(entry.fieldPath, known.facts)];
    case 'resource':
      return yield [entry.name, String(resourceValue(entry, known.resources, known.facts.capacity))];
    case 'key': {
      const value = keyValue(entry, known.config);
      if (value !== undefined) yield [entry.name, value];
      return;
    }
    case 'all':
      return yield* allValues(entry, known.config);
  }
}

function fieldValue(text: string, facts: PodFacts): string {
  const path = parseFieldPath(text);
  switch (path?.field) {
    case 'metadata.name':
      return facts.name;
    case 'metadata.namespace':
      return facts.namespace;
    case 'metadata.uid':
      return facts.uid;
    case 'metadata.labels':
      return facts.labels[path.key] ?? '';
    case 'metadata.annotations':
      return facts.annotations[path.key] ?? '';
    case 'spec.nodeName':
      return facts.nodeName;
    case 'status.podIP':
      return facts.podIP;
    case 'status.hostIP':
      return facts.hostIP;
    case undefined:
      throw new Error(`Cannot resolve the field path '${text}': there is no such field`);
  }
}

function keyValue({ source, key }: Extract<EnvEntry, { from: 'key' }>, config: ResolveConfig): string | undefined {
  const bytes = config(source)?.entries.get(key);
  const value = bytes === undefined ? undefined : environmentText(bytes);
  if (value !== undefined || (bytes === undefined && source.optional)) return value;
  const problem = bytes === undefined ? 'it is missing' : 'it is not text without NUL';
  throw new Error(`Cannot resolve the key '${key}' of ${source.kind} '${source.name}': ${problem}`);
}

function* allValues(
  { source, prefix }: Extract<EnvEntry, { from: 'all' }>,
  config: ResolveConfig,
): Iterable<readonly [string, string]> {
  const data = config(source);
  if (data === undefined && !source.optional) {
    throw new Error(`Cannot resolve the ${source.kind} '${source.name}': it is missing`);
  }
  for (const [key, bytes] of data?.entries ?? []) {
    const value = environmentText(bytes);
    if (value !== undefined) yield [prefix + key, value];
  }
}
