// What must not be pruned, whatever the names in the store say: what containers run from, and what shall run after a reboot.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Host } from '../oci/host.ts';
import { blobPath } from '../oci/image/content-store.ts';
import { prune, type Pruned } from '../oci/image/prune.ts';
import { identityOf } from '../oci/pod/labels.ts';
import { listStates } from '../oci/runtime/state.ts';
import { readRecords } from '../reconcile/desired-record.ts';

/** Delete every blob and layer that no name, no container and no desired revision needs. Rejects with OciError. */
export async function pruneImages(host: Host, signal?: AbortSignal): Promise<Pruned> {
  const { current, previous } = await readRecords(join(host.paths.root, 'desired'));
  const desired = [current, previous].flatMap((record) =>
    Object.values(record?.resolutions ?? {}).flatMap(({ digests }) => Object.values(digests)),
  );
  const used = listStates(host.paths.state).flatMap(({ record }) => identityOf(record.labels)?.imageDigest ?? []);
  // What shall run may never have been fetched; what does run was, and prune refuses to go on when it cannot follow it.
  const present = desired.filter((digest) => existsSync(blobPath(host.content, digest)));
  const roots = [...new Set([...present, ...used])];
  return prune(host.content, { layers: host.layers, roots, ...(signal === undefined ? {} : { signal }) });
}
