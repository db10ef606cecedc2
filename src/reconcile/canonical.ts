// One text per value: what hashes are made of.
import { createHash } from 'node:crypto';

/**
 * A stable text of plain data: keys sorted, and `undefined`, `false`, `[]` and `{}` left out of objects. A later
 * version that adds a field with such a default to the model therefore changes no hash, and restarts nothing. Left out
 * as well is `position`: where a thing stands in its file is no part of it.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(simplify(value)) ?? 'null';
}

/** The first 64 bits of the SHA-256 of `canonical(value)`, as 16 hex digits. */
export function shortDigest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

function simplify(value: unknown): unknown {
  if (value instanceof Uint8Array) return { sha256: createHash('sha256').update(value).digest('hex') };
  if (value instanceof Map) return [...value].sort(byKey).map(([key, entry]) => [key, simplify(entry)]);
  if (Array.isArray(value)) return value.map(simplify);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(byKey);
  // Without a prototype, so that a key named `__proto__` is only a key.
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of entries) {
    const simple = simplify(entry);
    if (key !== 'position' && !isDefault(simple)) object[key] = simple;
  }
  return object;
}

function byKey([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function isDefault(value: unknown): boolean {
  if (value === undefined || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
