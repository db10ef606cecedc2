// A process that dies in the middle of a pull (kill -9, power cut): the next one goes on where it was.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { partialPath } from '../../../src/oci/image/blob-ingest.ts';
import { readIndex } from '../../../src/oci/image/image-index.ts';

import { faulty, layerRequests, pulls, scene } from './pull-scene.ts';

const SENT_BYTES = 1_500_000;
const script = `
  import { openContentStore } from ${source('../../../src/oci/image/content-store.ts')};
  import { pullImage } from ${source('../../../src/oci/image/pull.ts')};
  import { MemoryLayers } from ${source('./memory-layers.ts')};
  const [root, reference] = process.argv.slice(1);
  await pullImage(reference, { store: openContentStore(root), layers: new MemoryLayers() });`;

function source(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

test('what a killed process received is not fetched again', async (t) => {
  const stage = scene(t, 3_000_000);
  const { store, layer, layerDigest } = stage;
  const partial = partialPath(store, layerDigest);
  await using registry = await faulty(stage, ({ response, count, serve }) => {
    if (count > 1) return serve();
    response.writeHead(200, { 'content-length': layer.length });
    response.write(layer.subarray(0, SENT_BYTES));
  });
  const words = ['--input-type=module', '-e', script, `${store.directory}/..`, `${registry.host}/app:1`];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  const exit = once(child, 'exit');
  while (child.exitCode === null && !(existsSync(partial) && statSync(partial).size > 0)) await sleep(10);
  child.kill('SIGKILL');
  await exit;
  const receivedBytes = statSync(partial).size;
  t.true(receivedBytes > 0 && receivedBytes <= SENT_BYTES);
  t.deepEqual(readIndex(store), []);
  t.true(readdirSync(store.ingestDirectory).some((name) => name.endsWith('.lock')));
  await pulls(t, stage, registry.host);
  t.deepEqual(
    layerRequests(stage, registry).map(({ range }) => range),
    [undefined, `bytes=${receivedBytes}-`],
  );
});
