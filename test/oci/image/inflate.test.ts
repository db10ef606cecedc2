import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';

import test from 'ava';

import { Inflater } from '../../../src/oci/image/inflate.ts';

const LIMIT = 1 << 30;

/** Inflate what arrives in pieces of `size` bytes. */
async function inflate(bytes: Buffer, size = bytes.length || 1, limitBytes = LIMIT): Promise<Buffer> {
  const parts: Buffer[] = [];
  using inflater = new Inflater({ limitBytes, output: (piece) => parts.push(Buffer.from(piece)) });
  for (let offset = 0; offset < bytes.length; offset += size)
    await inflater.write(bytes.subarray(offset, offset + size));
  await inflater.end();
  return Buffer.concat(parts);
}

const text = Buffer.concat([Buffer.from('layer'.repeat(5000)), randomBytes(5000)]);
const skippable = Buffer.from('502a4d1804000000abcdef01', 'hex');
const invalid = { code: 'LAYER_INVALID' };

for (const [what, bytes, expected] of [
  ['gzip', gzipSync(text), text],
  [
    'gzip of several members',
    Buffer.concat([gzipSync(text), gzipSync('x'), gzipSync(text)]),
    Buffer.concat([text, Buffer.from('x'), text]),
  ],
  ['zstd', zstdCompressSync(text), text],
  [
    'zstd of several frames',
    Buffer.concat([zstdCompressSync(text), zstdCompressSync('x')]),
    Buffer.concat([text, Buffer.from('x')]),
  ],
  ['zstd with frames to skip', Buffer.concat([skippable, zstdCompressSync(text), skippable]), text],
  ['no compression', text, text],
  ['less than a magic number', Buffer.from('ab'), Buffer.from('ab')],
] as const) {
  for (const size of [bytes.length, 1000, 7]) {
    test(`${what}, in pieces of ${size} bytes`, async (t) => {
      t.true((await inflate(bytes, size)).equals(expected));
    });
  }
}

for (const [what, bytes] of [
  ['nothing at all', Buffer.alloc(0)],
  ['gzip that is cut', gzipSync(text).subarray(0, -3)],
  ['gzip with a wrong checksum', Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
  ['gzip followed by garbage', Buffer.concat([gzipSync(text), Buffer.from('garbage')])],
  ['gzip followed by zeros', Buffer.concat([gzipSync(text), Buffer.alloc(100)])],
  ['zstd that is cut', zstdCompressSync(text).subarray(0, -3)],
  ['zstd followed by garbage', Buffer.concat([zstdCompressSync(text), Buffer.from('garbage')])],
  ['bzip2', Buffer.from('BZh91AY&SY')],
  ['xz', Buffer.from('fd377a585a000004', 'hex')],
] as const) {
  test(`refused: ${what}`, async (t) => {
    await t.throwsAsync(inflate(bytes), invalid);
    if (bytes.length > 0) await t.throwsAsync(inflate(bytes, 5), invalid);
  });
}

test('a zstd frame that asks for more than 32 MiB of memory is refused', async (t) => {
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_compressionLevel]: 1 };
  const bomb = zstdCompressSync(Buffer.alloc(130 << 20), { params });
  await t.throwsAsync(inflate(bomb), invalid);
});

for (const [what, bytes] of [
  ['gzip', gzipSync(Buffer.alloc(10 << 20))],
  ['zstd', zstdCompressSync(Buffer.alloc(10 << 20))],
  ['no compression', Buffer.alloc(3 << 20, 1)],
] as const) {
  test(`what grows beyond its limit is stopped there: ${what}`, async (t) => {
    let given = 0;
    using inflater = new Inflater({ limitBytes: 2 << 20, output: (piece) => (given += piece.length) });
    await t.throwsAsync(
      async () => {
        await inflater.write(bytes);
        await inflater.end();
      },
      { ...invalid, message: /grows beyond 2097152 bytes/ },
    );
    t.true(given <= 2 << 20);
  });
}

test('a write that waits ends when the inflater is disposed of', async (t) => {
  const inflater = new Inflater({ limitBytes: LIMIT, output: () => inflater.pause() });
  const writing = inflater.write(gzipSync(Buffer.alloc(64 << 20)));
  setImmediate(() => inflater[Symbol.dispose]());
  await t.throwsAsync(writing, { message: /disposed/ });
});
