// A process of its own that unpacks a layer into a store: for tests of what several of them do to each other, and of what
// a killed one leaves.
//
//   node unpack-process.ts <root> <blob> <diffID> all|half|settle auto|extract|erofs
//
// `half` hands over the first half of the blob, says so, and waits to be killed. Prints one JSON document at the end.
import { readFileSync } from 'node:fs';

import { UNPACK_MODES } from '../../src/oci/image/unpack-mode.ts';
import { openLayerStore } from '../../src/oci/image/layer-store.ts';

const [root = '', blob = '', diffID = '', mode = '', given = ''] = process.argv.slice(2);
const errors: string[] = [];
const unpack = UNPACK_MODES.find((known) => known === given) ?? 'auto';
const store = openLayerStore(root, { unpack, onError: (error) => errors.push(String(error)) });
const bytes = readFileSync(blob);
const layer = { diffID, mediaType: '', sizeBytes: bytes.length };

if (mode === 'half') {
  const sink = await store.begin(layer);
  await sink.write(new Uint8Array(bytes.subarray(0, bytes.length / 2)));
  process.stdout.write('half\n');
  setInterval(() => undefined, 1000);
} else {
  await store.unpackBlob(layer, blob);
  if (mode === 'settle') await store[Symbol.asyncDispose]();
  process.stdout.write(`${JSON.stringify({ has: store.has(diffID), errors })}\n`);
}
