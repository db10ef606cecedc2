// What is written beside an unpacked layer: what it is, and whether the disk has it. Pure.
import { isErofsRecord } from './erofs/erofs-record.ts';
import type { UnpackedLayer } from './layer-output.ts';

/** Raised when what the unpacker writes changes: layers of another version are unpacked again from their blobs. */
const VERSION = 1;

export type LayerRecord = UnpackedLayer & {
  /** Another one each time the layer is unpacked. */
  readonly id: string;
  /**
   * `synced`: the disk has every byte. Otherwise the boot in which the layer was unpacked, and valid only during that one:
   * after a power cut its files may be empty. `lost` is a boot in which writing it to the disk failed.
   */
  readonly durability: { readonly state: 'synced' } | { readonly state: 'unsynced' | 'lost'; readonly boot: string };
};

/** The bytes of a layer’s record, as `parseLayerRecord` reads them. */
export function formatLayerRecord(record: LayerRecord): string {
  return `${JSON.stringify({ version: VERSION, ...record })}\n`;
}

/** Undefined when the text is not a whole record of this version: a power cut may leave anything. */
export function parseLayerRecord(text: string): LayerRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

/** Whether the layer beside the record may be used in this boot. */
export function isUsable({ durability }: LayerRecord, boot: string): boolean {
  return durability.state === 'synced' || durability.boot === boot;
}

function isRecord(value: unknown): value is LayerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, id, entries, sizeBytes, implied, opaqueRoot, durability, erofs } = value as Record<string, unknown>;
  if (version !== VERSION || typeof id !== 'string') return false;
  if (typeof entries !== 'number' || typeof sizeBytes !== 'number') return false;
  if (!Array.isArray(implied) || !implied.every((path) => typeof path === 'string')) return false;
  if (erofs !== undefined && !isErofsRecord(erofs)) return false;
  return typeof opaqueRoot === 'boolean' && isDurability(durability);
}

function isDurability(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { state, boot } = value as Record<string, unknown>;
  return state === 'synced' || ((state === 'unsynced' || state === 'lost') && typeof boot === 'string');
}
