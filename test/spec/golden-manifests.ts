// The manifests that the tests of src/spec share, and the text that a model is compared as.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

import type { ManifestFile } from '../../src/spec/read-manifests.ts';

const ROOT = new URL('../golden/spec/', import.meta.url);

/** The manifests of a folder of test/golden/spec, by name. */
export function goldenManifests(folder: 'valid' | 'invalid'): readonly ManifestFile[] {
  return readdirSync(new URL(`${folder}/`, ROOT))
    .filter((name) => /^\d\d-.*\.(yaml|json)$/.test(name) && !name.endsWith('.model.json'))
    .sort()
    .map((path) => ({ path, text: readFileSync(new URL(`${folder}/${path}`, ROOT), 'utf8') }));
}

/** What the golden file says; with UPDATE_GOLDEN=1 it is first made to say `actual`. */
export function golden(name: string, actual: string): string {
  const url = new URL(name, ROOT);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(url, actual);
  return readFileSync(url, 'utf8');
}

/** A model as reviewable JSON: positions as `line:column`, bytes as text or base64, maps as objects. */
export function modelText(model: unknown): string {
  return `${JSON.stringify(model, replace, 2)}\n`;
}

function replace(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return bytesText(value);
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (typeof value === 'object' && value !== null && 'line' in value && 'column' in value) {
    return `${String(value.line)}:${String(value.column)}`;
  }
  return value;
}

function bytesText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text).equals(bytes) && !text.includes('\0')
    ? text
    : `base64:${Buffer.from(bytes).toString('base64')}`;
}
