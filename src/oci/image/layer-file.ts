// The regular file that a layer is being unpacked into: created, filled, given its attributes, closed. The hot path:
// an ordinary file of root's costs openat, write, futimens and close.
import { fchmodSync, fchownSync, writeSync } from 'node:fs';

import { futimens, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, openat } from '../../linux/at.ts';
import type { Fd } from '../../linux/fd.ts';
import { fsetxattr } from '../../linux/xattr.ts';
import { setImageXattrs } from './image-xattrs.ts';
import type { TarHeader } from './tar-entry.ts';

const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

export class LayerFile implements Disposable {
  readonly #umask: number;
  #fd: Fd | undefined;
  #header: TarHeader | undefined;

  /** `umask`: that of the process, to know when open(2) gave the mode that was asked for. */
  constructor(umask: number) {
    this.#umask = umask;
  }

  /** Throws SyscallError EEXIST when something has the name `name` (a C string) in `dirfd` already. */
  create(dirfd: number, name: Buffer, header: TarHeader): void {
    this.#fd = openat(dirfd, name, NEW_FILE, header.mode & 0o777);
    this.#header = header;
  }

  write(bytes: Buffer): void {
    if (this.#fd === undefined) return;
    for (let written = 0; written < bytes.length;) written += writeSync(this.#fd.number, bytes, written);
  }

  /** Everything is written. The order matters: chown(2) clears set-id bits and capabilities, all of them the time. */
  finish(): void {
    const header = this.#header;
    if (this.#fd === undefined || header === undefined) return;
    using fd = this.#fd;
    this.#fd = undefined;
    if (header.uid !== 0 || header.gid !== 0) fchownSync(fd.number, header.uid, header.gid);
    if (header.mode > 0o777 || (header.mode & this.#umask) !== 0) fchmodSync(fd.number, header.mode);
    if (header.xattrs !== undefined) setImageXattrs(header.xattrs, (name, value) => fsetxattr(fd.number, name, value));
    futimens(fd.number, { seconds: header.mtime, nanoseconds: header.mtimeNs });
  }

  [Symbol.dispose](): void {
    this.#fd?.[Symbol.dispose]();
    this.#fd = undefined;
  }
}
