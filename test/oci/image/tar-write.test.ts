import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import type { TarHeader } from '../../../src/oci/image/tar-entry.ts';
import { TarParser } from '../../../src/oci/image/tar-parser.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../../../src/oci/image/tar-write.ts';

function headersOf(archive: Buffer): readonly TarHeader[] {
  const headers: TarHeader[] = [];
  const parser = new TarParser({
    entry: (header) => headers.push(header),
    data: () => undefined,
    end: () => undefined,
  });
  parser.push(archive);
  return headers;
}

test('what is written is read back: names of any length, bodies, the end', (t) => {
  const file = fc.record({
    name: fc.stringMatching(/^[a-z]([a-z/]{0,250}[a-z])?$/),
    body: fc.uint8Array({ maxLength: 1500 }),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(file, { maxLength: 5 }), (files) => {
        const parts = files.flatMap(({ name, body }) => [
          tarFileHeader(name, body.length),
          body,
          tarPadding(body.length),
        ]);
        const archive = Buffer.concat([...parts, tarEnd()]);
        assert.equal(archive.length % 512, 0);
        assert.deepEqual(
          headersOf(archive).map(({ name, size, mode, type, uid, mtime }) => ({ name, size, mode, type, uid, mtime })),
          files.map(({ name, body }) => ({ name, size: body.length, mode: 0o644, type: 'file', uid: 0, mtime: 0 })),
        );
      }),
    ),
  );
});

for (const sizeBytes of [0, 8 ** 11 - 1, 8 ** 11, 2 ** 45]) {
  test(`a file of ${sizeBytes} bytes keeps its size`, (t) => {
    t.is(headersOf(tarFileHeader('x', sizeBytes))[0]?.size, sizeBytes);
  });
}
