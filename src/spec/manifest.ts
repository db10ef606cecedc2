// A manifest that has passed its schema.
import type * as z from 'zod';

import type { ManifestDocument } from './document.ts';
import type { WorkloadKind } from './model.ts';
import type { Kind, SCHEMAS } from './schema/kinds.ts';

type ObjectKind = Exclude<Kind, 'List'>;

/** Shape and values are right; the document knows the places of its parts. */
export type Manifest = {
  [K in ObjectKind]: {
    readonly kind: K;
    readonly value: z.output<(typeof SCHEMAS)[K]>;
    readonly document: ManifestDocument;
  };
}[ObjectKind];

export type WorkloadManifest = Extract<Manifest, { kind: WorkloadKind }>;

export type ClaimKindManifest = Extract<Manifest, { kind: 'PersistentVolumeClaim' }>;

export type ServiceKindManifest = Extract<Manifest, { kind: 'Service' }>;

export type ConfigManifest = Extract<Manifest, { kind: 'ConfigMap' | 'Secret' }>;
