// Whether this kernel mounts tars with EROFS images where the layers are. It is tried, with a small one: versions lie
// (distributions carry patches back), and the file system below must allow it too (tmpfs and overlayfs do not).
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import type { Fd } from '../../../linux/fd.ts';
import { fsconfigCreate, fsconfigSet, fsopen } from '../../../linux/mount-api.ts';
import { cString } from '../../../linux/at.ts';
import { lgetxattr } from '../../../linux/xattr.ts';
import { IMAGE_NAME, TAR_NAME } from '../layer-output.ts';
import { TarParser } from '../tar-parser.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../tar-write.ts';
import { OVERLAY_ORIGIN } from '../whiteout.ts';
import { LayerTree } from './layer-tree.ts';
import { mountErofs } from './mount.ts';
import { writeImage } from './write-image.ts';

export type ErofsSupport =
  | {
      readonly works: true;
      /**
       * Whether overlayfs takes a layer that is mounted nowhere, as this process holds it (Linux 6.15): then one mount, and one
       * page cache, serves all containers. Otherwise each container mounts its own.
       */
      readonly shared: boolean;
    }
  | { readonly works: false; readonly why: string };

/** Make a layer in the new directory `directory`, on the file system of the layers, and mount it. Never throws. */
export function probeErofs(directory: string): ErofsSupport {
  const why = refusal(release(), enforcing());
  if (why !== undefined) return { works: false, why };
  try {
    mkdirSync(directory, { mode: 0o700 });
    try {
      const files = probeFiles();
      writeFileSync(join(directory, TAR_NAME), files.tar);
      writeFileSync(join(directory, IMAGE_NAME), files.image);
      using mount = mountErofs(directory, { image: IMAGE_NAME, tar: TAR_NAME });
      requireRight(mount);
      return { works: true, shared: overlayTakes(mount, directory) && othersSee() };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch (error) {
    return { works: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** What is known to go wrong, in ways that must not be tried. Pure. `kernel`: as uname(2) has it. */
export function refusal(kernel: string, selinuxEnforcing: boolean): string | undefined {
  const [major = 0, minor = 0, patch = 0] = kernel.split(/[.-]/).map(Number);
  // Blocks of 512 bytes and an image in a file: a panic until bae085416093.
  if (major === 6 && minor === 12 && patch < 2) return `Linux ${kernel} crashes on EROFS images in files`;
  // Files behind a mount are opened with the credentials of whoever reads until 905eeb2b7c33.
  const early = major < 6 || (major === 6 && minor < 16);
  if (selinuxEnforcing && early) return `Linux ${kernel} would have SELinux deny containers their files`;
  return undefined;
}

function enforcing(): boolean {
  try {
    return readFileSync('/sys/fs/selinux/enforce', 'latin1').startsWith('1');
  } catch {
    return false;
  }
}

const CAP_SYS_PTRACE = 1n << 19n;
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

function overlayTakes(mount: Fd, directory: string): boolean {
  try {
    using context = fsopen('overlay');
    fsconfigSet(context, 'lowerdir', `/proc/self/fd/${mount.number}:${directory}`);
    fsconfigCreate(context);
    return true;
  } catch {
    return false;
  }
}

/** The program that starts a container finds a mount of this process in /proc: ptrace(2), "Ptrace access mode checking". */
function othersSee(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return (BigInt(`0x${capabilities}`) & CAP_SYS_PTRACE) !== 0n;
}
