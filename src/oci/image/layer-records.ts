// The records beside committed layers, read once each: every container start asks about every layer of its image.
import { readFileSync, statSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';
import type { LayerPaths } from './layer-paths.ts';
import { type LayerRecord, parseLayerRecord } from './layer-record.ts';

type Known = { readonly stamp: string; readonly record: LayerRecord | undefined };

export class LayerRecords {
  readonly #known = new Map<string, Known>();

  /** What stands beside a committed layer; undefined when there is none, or none that makes sense. */
  read(paths: LayerPaths): LayerRecord | undefined {
    const found = statSync(paths.record, { throwIfNoEntry: false });
    if (found === undefined) {
      this.#known.delete(paths.record);
      return undefined;
    }
    const known = this.#known.get(paths.record);
    // A record is never written to: another one is another file.
    const stamp = `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (known?.stamp === stamp) return known.record;
    const record = readLayerRecord(paths);
    this.#known.set(paths.record, { stamp, record });
    return record;
  }
}

/** The record as it is on the disk now. */
export function readLayerRecord(paths: LayerPaths): LayerRecord | undefined {
  try {
    return parseLayerRecord(readFileSync(paths.record, 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
