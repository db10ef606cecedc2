import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { bootId } from '../../src/linux/boot-id.ts';
import type { UnpackMode } from '../../src/oci/image/unpack-mode.ts';
import { tarBytes } from '../oci/image/tar-bytes.ts';
import {
  blobFile,
  describeTree,
  layerOf,
  layersUnusable,
  openStore,
  scratchDirectory,
  unpackModes,
} from './layer-scene.ts';
import { layer, leftovers, result, unpackProcess } from './unpack-scene.ts';

const run = layersUnusable === undefined ? test : test.skip;
const why = layersUnusable === undefined ? '' : ` (skipped: ${layersUnusable})`;

function recordPath(root: string): string {
  return join(root, 'layers', layer.diffID.slice(7), 'layer.json');
}

type Written = { readonly id: string; readonly durability: { readonly state: string; readonly boot?: string } };

function record(root: string): Written {
  return JSON.parse(readFileSync(recordPath(root), 'utf8'));
}

function durability(root: string): Written['durability'] {
  return record(root).durability;
}

/** Write what the record says of durability anew, as another boot or a crash would have left it. */
function setDurability(root: string, value: Written['durability']): void {
  writeFileSync(recordPath(root), JSON.stringify({ ...record(root), durability: value }));
}

/** Makes strace fail what writes a layer to the disk: the file system's sync, or the tar's own. */
function syncFault(root: string, unpack: UnpackMode): string[] {
  const tar = join(root, 'layers', layer.diffID.slice(7), 'layer.tar');
  const call = unpack === 'erofs' ? 'fsync' : 'syncfs';
  return [...(unpack === 'erofs' ? ['-P', tar] : []), '-e', `trace=${call}`, '-e', `fault=${call}:error=EIO`];
}

const strace = existsSync('/usr/bin/strace');

for (const unpack of unpackModes) {
  const how = `, ${unpack}${why}`;
  run(`two processes that unpack one layer both have it, unpacked once${how}`, async (t) => {
    const directory = scratchDirectory(t);
    const root = join(directory, 'root');
    const blob = blobFile(directory, layer);
    const outcomes = await Promise.all([0, 1].map(() => result(unpackProcess(root, blob, { mode: 'all', unpack }))));
    t.deepEqual(outcomes, [
      { has: true, errors: [] },
      { has: true, errors: [] },
    ]);
    t.deepEqual(leftovers(root), []);
  });

  run(
    `a process that is killed in the middle leaves nothing that counts, and the next one starts over${how}`,
    async (t) => {
      const directory = scratchDirectory(t);
      const root = join(directory, 'root');
      const blob = blobFile(directory, layer);
      const child = unpackProcess(root, blob, { mode: 'half', unpack });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      t.is(leftovers(root).length, 1);
      const store = openStore(t, root, unpack);
      t.false(store.has(layer.diffID));
      t.deepEqual(store.list(), []);
      await store.unpackBlob(layer, blob);
      await store.settle();
      t.deepEqual(leftovers(root), []);
    },
  );

  run(`killed at any moment, a layer is whole or not there${how}`, async (t) => {
    const directory = scratchDirectory(t);
    const blob = blobFile(directory, layer);
    const whole = openStore(t, join(directory, 'whole'), unpack);
    await whole.unpackBlob(layer, blob);
    const expected = describeTree(whole.directory(layer.diffID));
    for (const [attempt, pauseMs] of [120, 200, 280, 360, 440, 600].entries()) {
      const root = join(directory, `root-${attempt}`);
      const child = unpackProcess(root, blob, { mode: 'settle', unpack });
      const exited = once(child, 'exit');
      await sleep(pauseMs);
      child.kill('SIGKILL');
      await exited;
      const store = openStore(t, root, unpack);
      if (store.has(layer.diffID)) t.deepEqual(describeTree(store.directory(layer.diffID)), expected);
      else await store.unpackBlob(layer, blob);
      t.true(store.has(layer.diffID));
      await store.settle();
      t.deepEqual(leftovers(root), []);
    }
  });

  run(`a layer is marked when the disk has it${how}`, async (t) => {
    const directory = scratchDirectory(t);
    const root = join(directory, 'root');
    const store = openStore(t, root, unpack);
    await store.unpackBlob(layer, blobFile(directory, layer));
    t.deepEqual(durability(root), { state: 'unsynced', boot: bootId() });
    await store.settle();
    t.deepEqual(durability(root), { state: 'synced' });
  });

  run(`what a process left unsynced is synced by the next one that writes${how}`, async (t) => {
    const directory = scratchDirectory(t);
    const root = join(directory, 'root');
    await result(unpackProcess(root, blobFile(directory, layer), { mode: 'all', unpack }));
    t.is(durability(root).state, 'unsynced');
    const store = openStore(t, root, unpack);
    const other = layerOf(tarBytes([{ name: 'x' }]));
    await store.unpackBlob(other, blobFile(directory, other));
    await store.settle();
    t.deepEqual(durability(root), { state: 'synced' });
  });

  (strace ? run : test.skip)(
    `a layer that could not be written to the disk is never called durable${how}${strace ? '' : ' (skipped: no strace here)'}`,
    async (t) => {
      const directory = scratchDirectory(t);
      const root = join(directory, 'root');
      const blob = blobFile(directory, layer);
      const fault = ['strace', '-f', '-qq', '-o', '/dev/null', ...syncFault(root, unpack)];
      const outcome = await result(unpackProcess(root, blob, { mode: 'settle', unpack, wrapper: fault }));
      t.like(outcome, { has: true });
      t.deepEqual(durability(root), { state: 'lost', boot: bootId() });
      const store = openStore(t, root, unpack);
      await store.unpackBlob(layer, blob);
      await store.settle();
      t.is(durability(root).state, 'lost');
    },
  );

  for (const [what, left, kept] of [
    ['unsynced in another boot', { state: 'unsynced', boot: 'another' }, false],
    ['lost in another boot', { state: 'lost', boot: 'another' }, false],
    ['unsynced in this boot', { state: 'unsynced', boot: bootId() }, true],
    ['synced', { state: 'synced' }, true],
  ] as const) {
    run(`a layer that is ${what} is ${kept ? 'kept' : 'unpacked again'}${how}`, async (t) => {
      const directory = scratchDirectory(t);
      const root = join(directory, 'root');
      const first = openStore(t, root, unpack);
      await first.unpackBlob(layer, blobFile(directory, layer));
      await first.settle();
      const { id } = record(root);
      setDurability(root, left);
      const store = openStore(t, root, unpack);
      t.is(store.has(layer.diffID), kept);
      await store.unpackBlob(layer, blobFile(directory, layer));
      t.is(record(root).id === id, kept);
      t.is(readFileSync(join(store.directory(layer.diffID), 'd7/f57'), 'utf8'), 'file 57');
      await store.settle();
      t.deepEqual(leftovers(root), []);
    });
  }

  run(`a record that a power cut left half written is none${how}`, async (t) => {
    const directory = scratchDirectory(t);
    const root = join(directory, 'root');
    const store = openStore(t, root, unpack);
    await store.unpackBlob(layer, blobFile(directory, layer));
    await store.settle();
    for (const record of ['', '{"version":1', '\0'.repeat(200)]) {
      writeFileSync(recordPath(root), record);
      t.false(store.has(layer.diffID));
      t.deepEqual(store.list(), []);
    }
  });
}
