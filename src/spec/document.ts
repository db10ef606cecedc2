// A manifest as a plain value that still knows where each of its parts stands in the text.
import { errorInText, type ManifestError } from './manifest-error.ts';
import type { Position } from './model.ts';
import { positionAt, type SourceText, type Span } from './yaml/source-text.ts';

/** Keys and indexes from the manifest's root to one of its values. */
export type Path = readonly (string | number)[];

/** Where the children of each object and list stand. Keyed by identity: the same value under two names is one. */
export type Spans = ReadonlyMap<object, ReadonlyMap<string, { readonly key?: Span; readonly value: Span }>>;

export type ManifestDocument = {
  readonly source: SourceText;
  /** Objects without prototype, arrays, strings, finite numbers, bigints beyond 2^53, booleans, null. */
  readonly value: unknown;
  readonly spans: Spans;
  readonly root: Span;
  /** What stands before every path in messages: `['items', 2]` for the third entry of a List. */
  readonly base: Path;
  /** Whether its text may hold secrets: then no message shows a line or a value of it. */
  readonly confidential: boolean;
};

/** `spec.containers[0].image`, `metadata.labels['app.kubernetes.io/name']`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(step)) return `['${step.length > 60 ? `${step.slice(0, 60)}…` : step}']`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** The value at `path`, or undefined when the document has none there. */
export function valueAt(document: ManifestDocument, path: Path): unknown {
  let value = document.value;
  for (const step of path) value = child(value, step);
  return value;
}

function child(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[step];
}

/** Where the value (or the key) at `path` stands; the nearest parent that exists when it does not. */
export function spanAt(document: ManifestDocument, path: Path, part: 'key' | 'value'): Span {
  let value = document.value;
  let found: { key?: Span; value: Span } = { value: document.root };
  for (const step of path) {
    const next = typeof value === 'object' && value !== null ? document.spans.get(value)?.get(String(step)) : undefined;
    if (next === undefined) return found.key ?? firstKey(document.spans, value) ?? found.value;
    found = next;
    value = child(value, step);
  }
  return part === 'key' ? (found.key ?? found.value) : found.value;
}

/** An object in a list has no key of its own: its first field stands for it. */
function firstKey(spans: Spans, value: unknown): Span | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return spans.get(value)?.values().next().value?.key;
}

/** The position of the value at `path`. */
export function placeOf(document: ManifestDocument, path: Path): Position {
  return positionAt(document.source, spanAt(document, path, 'value').start);
}

/** A ManifestError about the value (or the key) at `path`. */
export function errorAt(
  document: ManifestDocument,
  about: { readonly path: Path; readonly part?: 'key' | 'value' },
  message: string,
): ManifestError {
  const span = spanAt(document, about.path, about.part ?? 'value');
  const path = formatPath([...document.base, ...about.path]);
  return errorInText(document.source, { span, path, confidential: document.confidential }, message);
}
