// Whether this kernel mounts tars with EROFS images where the layers are. It is tried, with a small one: versions lie
// (distributions carry patches back), and the file system below must allow it too (tmpfs and overlayfs do not).
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import type { Fd } from '../../../linux/fd.ts';
import { cString } from '../../../linux/at.ts';
import { lgetxattr } from '../../../linux/xattr.ts';
import { IMAGE_NAME, TAR_NAME } from '../layer-output.ts';
import { TarParser } from '../tar-parser.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../tar-write.ts';
import { OVERLAY_ORIGIN } from '../whiteout.ts';
import { LayerTree } from './layer-tree.ts';
import { mountErofs } from './mount.ts';
import { type ErofsSupport, isSelinuxEnforcing, isSharable, refusal } from './support.ts';
import { writeImage } from './write-image.ts';

/** Make a layer in the new directory `directory`, on the file system of the layers, and mount it. Never throws. */
export function probeErofs(directory: string): ErofsSupport {
  const why = refusal(release(), isSelinuxEnforcing());
  if (why !== undefined) return { works: false, why };
  try {
    mkdirSync(directory, { mode: 0o700 });
    try {
      const files = probeFiles();
      writeFileSync(join(directory, TAR_NAME), files.tar);
      writeFileSync(join(directory, IMAGE_NAME), files.image);
      using mount = mountErofs(directory, { image: IMAGE_NAME, tar: TAR_NAME });
      requireRight(mount);
      return { works: true, shared: isSharable(mount, directory) };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch (error) {
    return { works: false, why: error instanceof Error ? error.message : String(error) };
  }
}

const CONTENT = Buffer.from('berth '.repeat(100));

function probeFiles(): { readonly tar: Buffer; readonly image: Buffer } {
  const file = [tarFileHeader('file', CONTENT.length), CONTENT, tarPadding(CONTENT.length)];
  const tar = Buffer.concat([...file, tarFileHeader('.wh.gone', 0), tarEnd()]);
  const tree = new LayerTree();
  new TarParser(tree).push(tar);
  return { tar, image: writeImage(tree.root, { tarBytes: tar.length, uuid: Buffer.alloc(16, 'berth') }) };
}

function requireRight(mount: Fd): void {
  const at = `/proc/self/fd/${mount.number}`;
  if (!readFileSync(join(at, 'file')).equals(CONTENT)) throw new Error('a file that was mounted has other content');
  const whiteout = lstatSync(join(at, 'gone'));
  if (!whiteout.isCharacterDevice() || whiteout.rdev !== 0) throw new Error('a whiteout was mounted as something else');
  if (lgetxattr(cString(`${at}/.`), OVERLAY_ORIGIN) === undefined)
    throw new Error('extended attributes are not mounted');
}
