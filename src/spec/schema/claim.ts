// PersistentVolumeClaim: a directory of this machine that outlives pods.
import * as z from 'zod';

import { quoted } from '../quoted-text.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject, text } from './manifest-object.ts';
import { ignoredStatus, metadata } from './metadata.ts';
import { byteLimit } from './resources.ts';

/** What clusters of one machine call their class of local directories: kind and minikube, k3s, and berth itself. */
const LOCAL_CLASSES = ['', 'berth-local', 'local-path', 'standard'];

const ACCESS_MODES = ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'] as const;

const storageClassName = checked(text(), function* (name) {
  if (LOCAL_CLASSES.includes(name)) return;
  const message = `There is no storage class ${quoted(name)}: volumes are directories of this machine; leave the field out or write 'berth-local'`;
  yield { path: [], message };
});

const accessModes = checked(z.array(z.string()), function* (modes) {
  if (modes.length === 0) yield { path: [], message: "Give at least one access mode, such as 'ReadWriteOnce'" };
  for (const [index, mode] of modes.entries()) {
    if (ACCESS_MODES.some((known) => known === mode)) continue;
    const message =
      mode === 'ReadWriteOncePod'
        ? "'ReadWriteOncePod' is not supported: all pods of this machine may use a volume; write 'ReadWriteOnce'"
        : `Expected one of ${ACCESS_MODES.map((known) => `'${known}'`).join(', ')}, got ${quoted(mode)}`;
    yield { path: [index], message };
  }
});

const volumeMode = checked(z.enum(['Filesystem', 'Block']), function* (mode) {
  if (mode === 'Filesystem') return;
  yield { path: [], message: "Not supported: a volume is a directory, never a block device; write 'Filesystem'" };
});

const storage = manifestObject({ storage: byteLimit });

export const claimSpec = manifestObject(
  {
    accessModes,
    resources: manifestObject({ requests: storage, limits: storage.nullish() }),
    storageClassName: storageClassName.nullish(),
    volumeMode: volumeMode.nullish(),
  },
  { notYet: NOT_YET.claim },
);

export const persistentVolumeClaim = manifestObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('PersistentVolumeClaim'),
  metadata,
  spec: claimSpec,
  ...ignoredStatus,
});

export type ClaimManifest = z.output<typeof persistentVolumeClaim>;
