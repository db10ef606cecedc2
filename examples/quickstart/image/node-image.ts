// An image without a registry: this machine's own Node, the libraries it needs, and a script.
import { readFileSync } from 'node:fs';

import { runtimeFiles } from './elf.ts';
import { imageLayout, type Compression, type Layout } from './oci-image.ts';

export type NodeImageOptions = {
  readonly reference: string;
  /** The program, in JavaScript (an ES module). */
  readonly script: string;
  /** The Node binary to put in. Default: the one that runs this. */
  readonly node?: string;
  readonly compression?: Compression;
};

const NODE = '/usr/local/bin/node';
const SCRIPT = '/app/server.mjs';

/** Two layers: the runtime, which every such image shares, and the script. It runs as an ordinary user. */
export function nodeImage({ reference, script, node = process.execPath, compression }: NodeImageOptions): Layout {
  const runtime = [
    { path: NODE, content: readFileSync(node), mode: 0o755 },
    ...runtimeFiles(node).map((path) => ({ path, content: readFileSync(path), mode: 0o755 })),
    { path: '/etc/passwd', content: 'root:x:0:0:root:/root:/none\nnode:x:1000:1000::/app:/none\n' },
    { path: '/etc/group', content: 'root:x:0:\nnode:x:1000:\n' },
    { path: '/tmp', directory: true, mode: 0o1777 } as const,
  ];
  return imageLayout({
    reference,
    layers: [runtime, [{ path: SCRIPT, content: script }]],
    config: { Entrypoint: [NODE, SCRIPT], WorkingDir: '/app', User: 'node', Env: ['NODE_ENV=production'] },
    ...(compression === undefined ? {} : { compression }),
  });
}
