// What an OCI image layout contains: oci-layout, index.json, and the names of its images.
import { OciError } from '../error.ts';

import type { Archive } from './archive.ts';
import { readSmall } from './archive-source.ts';
import { REF_NAME } from './image-index.ts';
import { DecodeError, fields, list, parseJson, text } from './json-decode.ts';
import { decodeDescriptor, MAX_MANIFEST_BYTES, type Descriptor } from './manifest.ts';
import { isIndexType, isManifestType } from './media-type.ts';
import { formatReference, parseReference } from './reference.ts';

/** containerd and Docker write the whole reference here, and only the tag into the OCI annotation. */
const CONTAINERD_NAME = 'io.containerd.image.name';
const MAX_IMAGES = 1000;

const decodeLayout = fields({
  imageLayoutVersion: text('version 1 of the image layout', (version) => version.startsWith('1.')),
});
const decodeIndex = fields({ manifests: list(decodeDescriptor, MAX_IMAGES) });

/** The entries of a layout's index.json that are images. Throws OciError ARCHIVE_INVALID. */
export async function readLayoutIndex(archive: Archive): Promise<readonly Descriptor[]> {
  decodeFile('oci-layout', await readFile(archive, 'oci-layout'), decodeLayout);
  const { manifests } = decodeFile('index.json', await readFile(archive, 'index.json'), decodeIndex);
  return manifests.filter(({ mediaType }) => isIndexType(mediaType) || isManifestType(mediaType));
}

/**
 * The canonical reference that an entry of a layout gets here. Names with a colon or slash are references; a bare word is
 * a tag, of the repository `localhost/<fallback>`, as is an entry without a name.
 */
export function layoutName({ annotations }: Pick<Descriptor, 'annotations'>, fallback: string): string {
  const named = annotations?.[CONTAINERD_NAME] ?? annotations?.[REF_NAME];
  if (named === undefined) return formatReference(parseReference(`localhost/${fallback}`));
  return formatReference(parseReference(/[:/@]/.test(named) ? named : `localhost/${fallback}:${named}`));
}

/** A repository name made of a file's: `/tmp/My App.oci.tar` is `my-app`. */
export function fallbackName(path: string): string {
  const base = (path.replace(/\/+$/, '').split('/').at(-1) ?? '').replace(/(?:\.(?:oci|docker|tar|tgz|gz|zst))+$/i, '');
  const name = base
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'image' : name.slice(0, 100);
}

async function readFile(archive: Archive, path: string): Promise<Buffer> {
  const file = await archive.find(path);
  if (file === undefined) throw new OciError('ARCHIVE_INVALID', `${path} is missing: it is no OCI image layout`);
  return readSmall(file, path, MAX_MANIFEST_BYTES);
}

function decodeFile<T>(path: string, bytes: Buffer, decode: (value: unknown, path: string) => T): T {
  try {
    return decode(parseJson(bytes), '');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new OciError('ARCHIVE_INVALID', `${path}: ${error.message}`, { cause: error });
  }
}
