// What keeps pulls and pruning apart: blobs that are being pulled are not referenced yet, and would look like garbage.
import { join } from 'node:path';

import { lock } from '../../linux/flock.ts';

import type { ContentStore } from './content-store.ts';

/** Taken by whoever brings images in; any number at once. While one is held nothing is pruned. Dispose to give it back. */
export function takeStoreLease(store: ContentStore, signal: AbortSignal | undefined): Promise<Disposable> {
  return lock(leasePath(store), 'shared', signal);
}

/** Taken by pruning: waits until nobody brings images in, and keeps them out. */
export function excludeStoreLeases(store: ContentStore, signal: AbortSignal | undefined): Promise<Disposable> {
  return lock(leasePath(store), 'exclusive', signal);
}

function leasePath(store: ContentStore): string {
  return join(store.directory, '.gc.lock');
}
