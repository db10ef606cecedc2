// What is kept of a layer's tar and image, to tell them from what a power cut or a failing disk made of them.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { OciError } from '../../error.ts';
import { IMAGE_NAME, TAR_NAME } from '../layer-output.ts';

/** Raised when images are made differently: those of another version are made again. */
export const IMAGE_VERSION = 1;

export type ErofsRecord = {
  readonly version: number;
  /** Of the tar, whose digest is the layer's diffID. */
  readonly tarBytes: number;
  readonly imageBytes: number;
  /** SHA-256 of the image, hexadecimal. */
  readonly imageHash: string;
};

/** What is to be known of `image` later. */
export function erofsRecord(image: Buffer, tarBytes: number): ErofsRecord {
  return { version: IMAGE_VERSION, tarBytes, imageBytes: image.length, imageHash: hashOf(image) };
}

/** Whether a value read from a record is one. */
export function isErofsRecord(value: unknown): value is ErofsRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, tarBytes, imageBytes, imageHash } = value as Record<string, unknown>;
  if (typeof version !== 'number' || typeof imageHash !== 'string') return false;
  return typeof tarBytes === 'number' && typeof imageBytes === 'number';
}

/** Whether both files are in `directory`, whole, and made by this version. Looks at sizes only. */
export function hasErofsFiles(directory: string, { version, tarBytes, imageBytes }: ErofsRecord): boolean {
  if (version !== IMAGE_VERSION) return false;
  const size = (name: string): number | undefined => statSync(join(directory, name), { throwIfNoEntry: false })?.size;
  return size(TAR_NAME) === tarBytes && size(IMAGE_NAME) === imageBytes;
}

/** The kernel trusts an image: it is read through before it is mounted. Throws OciError STORE_CORRUPT when it has changed. */
export function verifyImage(directory: string, { imageHash }: ErofsRecord): void {
  const path = join(directory, IMAGE_NAME);
  if (hashOf(readFileSync(path)) === imageHash) return;
  throw new OciError('STORE_CORRUPT', `${path} is not what was written: the disk has changed it`);
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
