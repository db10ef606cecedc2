import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { BLOCK_BYTES } from '../../../src/oci/image/blob-ingest.ts';
import { blocksOf, freeBlock } from '../../../src/oci/image/blocks.ts';

async function* chunksOf(bytes: Buffer, sizes: readonly number[], failure?: Error): AsyncGenerator<Buffer> {
  let from = 0;
  for (const size of sizes) {
    if (from >= bytes.length) break;
    // Half of them share memory with their neighbours, as network buffers may.
    const view = bytes.subarray(from, from + size);
    yield size % 2 === 0 ? Buffer.from(Uint8Array.from(view).buffer) : view;
    from += size;
  }
  for (; from < bytes.length; from += 200_000) yield bytes.subarray(from, from + 200_000);
  if (failure !== undefined) throw failure;
}

test('blocks are the bytes from the position on, however they arrive, each in memory of its own', async (t) => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 60_000, max: 300_000 })), {
    maxLength: 12,
  });
  const run = fc.asyncProperty(
    fc.nat({ max: 1_200_000 }),
    fc.nat({ max: 5000 }),
    fc.nat({ max: 5000 }),
    sizes,
    async (length, skip, extra, cuts) => {
      const bytes = Buffer.alloc(length + 1, 'abcdefghijklmnopq').subarray(1);
      const offset = Math.min(skip, length);
      const position = Math.min(offset + extra, length);
      const opened = { body: chunksOf(bytes.subarray(offset), cuts), offset, failure: () => new Error('never') };
      const blocks = await Array.fromAsync(blocksOf(opened, position, length));
      assert.ok(Buffer.concat(blocks).equals(bytes.subarray(position)));
      assert.ok(blocks.every((block) => block.length > 0 && block.length <= BLOCK_BYTES));
      assert.equal(new Set(blocks.map(({ buffer }) => buffer)).size, blocks.length);
      assert.ok(blocks.every(({ buffer }) => buffer !== bytes.buffer));
    },
  );
  await t.notThrowsAsync(fc.assert(run, { numRuns: 50 }));
});

test('what came before a failure is not lost', async (t) => {
  const body = chunksOf(Buffer.from('hello'), [2], new Error('cut'));
  const blocks: string[] = [];
  const read = async (): Promise<void> => {
    for await (const block of blocksOf(
      { body, offset: 0, failure: (cause) => new Error('wrapped', { cause }) },
      0,
      100,
    )) {
      blocks.push(block.toString());
    }
  };
  await t.throwsAsync(read(), { message: 'wrapped' });
  t.deepEqual(blocks, ['hello']);
});

test('freeing gives back memory that is a block alone, and leaves shared memory be', (t) => {
  const own = Buffer.allocUnsafeSlow(100);
  freeBlock(own);
  t.is(own.length, 0);
  const shared = Buffer.alloc(100, 'x');
  freeBlock(shared.subarray(10, 20));
  t.is(shared.toString(), 'x'.repeat(100));
});
