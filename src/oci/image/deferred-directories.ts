// Attributes of a layer's directories, set when everything else is written: adding an entry changes a directory's
// modification time, and a default ACL or the setgid bit would be inherited by what is created inside.
import { fchmodSync, fchownSync } from 'node:fs';

import { futimens } from '../../linux/at.ts';
import type { Fd } from '../../linux/fd.ts';
import { fsetxattr } from '../../linux/xattr.ts';
import type { TarHeader } from './tar-entry.ts';
import { setImageXattrs } from './image-xattrs.ts';
import { OVERLAY_OPAQUE, OVERLAY_ORIGIN } from './whiteout.ts';

type Deferred = {
  header: TarHeader | undefined;
  opaque: boolean;
  whiteouts: boolean;
};

const IMPLICIT_MODE = 0o755;
const YES = Buffer.from('y');
const EMPTY = Buffer.alloc(0);

export class DeferredDirectories {
  readonly #byPath = new Map<string, Deferred>();

  /** It was just created, so whatever was known of this path was about something else. */
  made(path: string): void {
    this.#byPath.set(path, { header: undefined, opaque: false, whiteouts: false });
  }

  /** An entry described the directory. The last one wins. */
  describe(path: string, header: TarHeader): void {
    this.#get(path).header = header;
  }

  /** Nothing of the lower layers shows in it. */
  markOpaque(path: string): void {
    this.#get(path).opaque = true;
  }

  /** It holds whiteouts. */
  markWhiteouts(path: string): void {
    this.#get(path).whiteouts = true;
  }

  isOpaque(path: string): boolean {
    return this.#byPath.get(path)?.opaque ?? false;
  }

  /** Directories that no entry described: their attributes are those of the layers below, if any has them. */
  implied(): string[] {
    return [...this.#byPath].filter(([, { header }]) => header === undefined).map(([path]) => path);
  }

  /** Set everything. `open` gives a descriptor of a directory, or undefined when something else has taken its place. */
  apply(open: (path: string) => Fd | undefined): void {
    for (const [path, deferred] of this.#byPath) {
      using fd = open(path);
      if (fd !== undefined) applyTo(fd.number, deferred);
    }
  }

  #get(path: string): Deferred {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const deferred: Deferred = { header: undefined, opaque: false, whiteouts: false };
    this.#byPath.set(path, deferred);
    return deferred;
  }
}

function applyTo(fd: number, { header, opaque, whiteouts }: Deferred): void {
  if (header !== undefined && (header.uid !== 0 || header.gid !== 0)) fchownSync(fd, header.uid, header.gid);
  fchmodSync(fd, header?.mode ?? IMPLICIT_MODE);
  if (header?.xattrs !== undefined) setImageXattrs(header.xattrs, (name, value) => fsetxattr(fd, name, value));
  if (opaque) fsetxattr(fd, OVERLAY_OPAQUE, YES);
  // Without it a directory that only this layer has is listed as it is, whiteouts and all (ovl_dir_is_real).
  if (whiteouts) fsetxattr(fd, OVERLAY_ORIGIN, EMPTY);
  futimens(fd, { seconds: header?.mtime ?? 0, nanoseconds: header?.mtimeNs ?? 0 });
}
