// An image of busybox in the format of `docker save`, which podman, docker and ctr all load.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hostPlatform } from '../../src/oci/image/platform.ts';
import { makeBusyboxRoot } from './busybox-bundle.ts';

export const IMAGE = 'localhost/busybox:test';
const FILES = ['manifest.json', 'config.json', 'layer.tar'] as const;

/** Write the archive below `directory`. Returns its path. */
export function writeEngineImage(directory: string): string {
  const [root, parts, archive] = ['image-root', 'image-parts', 'image.tar'].map((name) => join(directory, name));
  if (root === undefined || parts === undefined || archive === undefined) throw new Error('three names are three');
  makeBusyboxRoot(root);
  mkdirSync(parts);
  execFileSync('tar', ['-C', root, '-cf', join(parts, 'layer.tar'), '.']);
  const digest = createHash('sha256')
    .update(readFileSync(join(parts, 'layer.tar')))
    .digest('hex');
  const { os, architecture } = hostPlatform();
  const config = {
    os,
    architecture,
    config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created: '2024-01-01T00:00:00Z', created_by: 'busybox' }],
  };
  writeFileSync(join(parts, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(join(parts, 'manifest.json'), JSON.stringify(manifest));
  execFileSync('tar', ['-C', parts, '-cf', archive, ...FILES]);
  for (const path of [root, parts]) rmSync(path, { recursive: true });
  return archive;
}
