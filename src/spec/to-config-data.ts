// Checked ConfigMaps and Secrets → keys to bytes.
import { DEFAULTS } from './defaults.ts';
import { placeOf } from './document.ts';
import type { ConfigManifest, Manifest } from './manifest.ts';
import type { ConfigData } from './model.ts';
import { decodeBase64 } from './schema/config.ts';

/** Whether a manifest is a ConfigMap or a Secret. */
export function isConfig(manifest: Manifest): manifest is ConfigManifest {
  return manifest.kind === 'ConfigMap' || manifest.kind === 'Secret';
}

/** The entries of a ConfigMap (`data` and `binaryData`) or Secret (`data`, then `stringData`, which wins). */
export function toConfigData({ value, document }: ConfigManifest): ConfigData {
  const [texts, encoded] = value.kind === 'ConfigMap' ? [value.data, value.binaryData] : [value.stringData, value.data];
  const entries = new Map<string, Uint8Array>();
  for (const [key, base64] of Object.entries(encoded ?? {})) entries.set(key, decodeBase64(base64) ?? new Uint8Array());
  for (const [key, text] of Object.entries(texts ?? {})) entries.set(key, new TextEncoder().encode(text));
  return {
    namespace: value.metadata.namespace ?? DEFAULTS.namespace,
    name: value.metadata.name,
    entries,
    immutable: value.immutable ?? false,
    position: placeOf(document, []),
  };
}
