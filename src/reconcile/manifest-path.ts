// Which paths of a source hold manifests, which hold images, and how much there may be of them. Pure.
import { SourceError } from './source.ts';

/** Bounds of one source, so that a wrong directory or a hostile repository cannot fill the memory. */
export const MAX_SOURCE_FILES = 2000;
export const MAX_SOURCE_FILE_BYTES = 4 * 1024 * 1024;
export const MAX_SOURCE_BYTES = 32 * 1024 * 1024;
export const MAX_SOURCE_ENTRIES = 20_000;
export const MAX_SOURCE_DEPTH = 32;
/** Images that come with a source, in bytes each. */
export const MAX_SOURCE_IMAGE_BYTES = 8 * 1024 * 1024 * 1024;

/** The top directory whose content is images, not manifests. */
export const IMAGES_DIRECTORY = 'images';

/** Whether a path within a source, with `/`, is read as a manifest: YAML or JSON, no part of it hidden. */
export function isManifestPath(path: string): boolean {
  return /\.(ya?ml|json)$/.test(path) && !isHidden(path) && !path.startsWith(`${IMAGES_DIRECTORY}/`);
}

/** Whether a path within a source is an image archive. */
export function isImageArchivePath(path: string): boolean {
  return path.startsWith(`${IMAGES_DIRECTORY}/`) && path.endsWith('.oci.tar') && !isHidden(path);
}

/** Whether any part of a path begins with a dot: editors, git and ConfigMap mounts keep their own things there. */
export function isHidden(path: string): boolean {
  return path.startsWith('.') || path.includes('/.');
}

/** The text of a manifest. Throws SourceError when it is not UTF-8. */
export function decodeManifest(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new SourceError('SOURCE_INVALID', `${path} is not UTF-8 text`, { cause: error });
  }
}

/** Counts what a source holds. Throws SourceError as soon as it is too much. */
export class SourceBudget {
  #files = 0;
  #bytes = 0;

  /** Take one manifest of `bytes` into account. */
  add(path: string, bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
    if (bytes > MAX_SOURCE_FILE_BYTES) throw tooMuch(`${path} has ${bytes} bytes, at most ${MAX_SOURCE_FILE_BYTES}`);
    if (this.#files > MAX_SOURCE_FILES) throw tooMuch(`more than ${MAX_SOURCE_FILES} manifests`);
    if (this.#bytes > MAX_SOURCE_BYTES) throw tooMuch(`more than ${MAX_SOURCE_BYTES} bytes of manifests`);
  }
}

/** The error of a source that has more than a source may have. */
export function tooMuch(what: string): SourceError {
  return new SourceError('SOURCE_INVALID', `The source is too large: ${what}`);
}
