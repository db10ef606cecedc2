// What a container was made from, put together again from its record: to make it anew, or to show how.
import { join } from 'node:path';

import { imageByDigest } from '../agent/machine/images.ts';
import type { Host } from '../oci/host.ts';
import { identityOf } from '../oci/pod/labels.ts';
import { lowersOf } from '../oci/pod/start-container.ts';
import type { CreateRequest } from '../oci/runtime/create.ts';
import { readConfig } from '../oci/runtime/read-config.ts';
import { requireState } from '../oci/runtime/state.ts';
import { CommandFailure } from './failure.ts';

/** The request that `createContainer` was given. Throws CommandFailure when the image is gone. */
export function requestOf(host: Host, id: string): CreateRequest {
  const { record } = requireState(host.paths.state, id);
  const identity = identityOf(record.labels);
  const image = identity === undefined ? undefined : imageByDigest(host, identity.imageDigest);
  if (image === undefined) {
    throw new CommandFailure(`The image of container '${id}' is not on this machine any more`, {
      hint: `berth pull ${identity?.image ?? 'IMAGE'}`,
    });
  }
  return {
    id,
    config: readConfig(host.runtime, id),
    rootfs: {
      kind: 'overlay',
      lowers: lowersOf(host, image),
      upper: join(record.bundle, 'upper'),
      work: join(record.bundle, 'work'),
      base: join(host.paths.root, 'layers'),
    },
    bundle: record.bundle,
    labels: record.labels,
    stopSignal: record.stopSignal,
    logFile: record.logFile,
    mode: 'run',
  };
}
