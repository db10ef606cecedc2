// Images for tests, made by Node alone: from files, of this Node, or of Debian's static busybox.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { elfNeeds } from '../../examples/quickstart/image/elf.ts';
import { imageLayout, layoutArchive, writeLayout } from '../../examples/quickstart/image/oci-image.ts';
import type { ImageOptions, Layout } from '../../examples/quickstart/image/oci-image.ts';
import type { ImageFile } from '../../examples/quickstart/image/tar.ts';

export type FilesImage = Omit<ImageOptions, 'layers'> & {
  /** One layer of these files, … */
  readonly files?: readonly ImageFile[];
  /** … or layers, lowest first. */
  readonly layers?: readonly (readonly ImageFile[])[];
};

/** An OCI layout in memory. `saveLayout` and `saveArchive` write it. */
export function imageFromFiles({ files = [], layers = [files], ...options }: FilesImage): Layout {
  return imageLayout({ ...options, layers });
}

/** Write an OCI layout directory. Returns its path. */
export function saveLayout(layout: Layout, directory: string): string {
  writeLayout(layout, directory);
  return directory;
}

/** Write an oci-archive (`*.oci.tar`), its directory too. Returns its path. */
export function saveArchive(layout: Layout, path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, layoutArchive(layout));
  return path;
}

const BUSYBOX = '/bin/busybox';
const APPLETS =
  'awk cat chmod chown cut date dd df echo env expr false find grep head hostname httpd id ifconfig ip kill ln ls mkdir ' +
  'mknod mkfifo mount mv nc nslookup ping printf ps pwd readlink rm rmdir route sed seq sh sleep sort stat sync ' +
  'tail tee test touch tr true umount uname unlink wc wget which whoami xargs yes [';

/** Why `busyboxImage` cannot be made here; undefined when it can. */
export function busyboxMissing(): string | undefined {
  if (!existsSync(BUSYBOX)) return `${BUSYBOX} is missing (Debian package busybox-static)`;
  return elfNeeds(readFileSync(BUSYBOX)).interpreter === undefined
    ? undefined
    : `${BUSYBOX} is not static (install busybox-static)`;
}

/** A small image with a shell: one layer, about 2 MB. Throws when `busyboxMissing` says why. */
export function busyboxImage(options: Partial<ImageOptions> = {}): Layout {
  const missing = busyboxMissing();
  if (missing !== undefined) throw new Error(missing);
  return imageLayout({
    reference: 'localhost/busybox:1',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    compression: 'gzip',
    ...options,
    layers: [busyboxFiles(), ...(options.layers ?? [])],
  });
}

function busyboxFiles(): ImageFile[] {
  return [
    { path: '/bin/busybox', content: readFileSync(BUSYBOX), mode: 0o755 },
    ...APPLETS.split(' ').map((name) => ({ path: `/bin/${name}`, linkTo: 'busybox' })),
    { path: '/etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' },
    { path: '/etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    ...['/proc', '/sys', '/dev', '/root', '/var'].map((path): ImageFile => ({ path, directory: true })),
    { path: '/tmp', directory: true, mode: 0o1777 },
  ];
}
