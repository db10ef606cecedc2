import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import test from 'ava';
import * as fc from 'fast-check';

import { isOciError } from '../../../src/oci/error.ts';
import { digestOf, formatDigest, hashFor, isDigest, parseDigest, verifyDigest } from '../../../src/oci/image/digest.ts';

const digest = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
  fc.stringMatching(/^[0-9a-f]{128}$/).map((hex) => `sha512:${hex}`),
);

test('a digest parses and formats back to itself', (t) => {
  t.notThrows(() => fc.assert(fc.property(digest, (text) => assert.equal(formatDigest(parseDigest(text)), text))));
});

test('no text but a digest is a digest, so none can leave the blobs directory', (t) => {
  const almost = fc
    .tuple(digest, fc.nat({ max: 140 }), fc.constantFrom('/', '.', 'A', 'g', '\n', '\0', ':', ''))
    .map(([text, at, insert]) => `${text.slice(0, at)}${insert}${text.slice(at + 1)}`);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost), (text) => {
        if (/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text) && !text.endsWith('\n')) return;
        assert.equal(isDigest(text), false);
        assert.throws(
          () => parseDigest(text),
          (error) => isOciError(error, 'DIGEST_INVALID'),
        );
      }),
    ),
  );
});

for (const text of [
  '',
  'sha256:',
  'md5:00',
  `sha256:${'0'.repeat(63)}`,
  `sha256:${'0'.repeat(64)}\n`,
  `sha256:../${'0'.repeat(61)}`,
]) {
  test(`${JSON.stringify(text.slice(0, 200))} is not a digest`, (t) => {
    t.false(isDigest(text));
  });
}

test('bytes are digested and verified with the algorithm that the digest names', (t) => {
  const bytes = Buffer.from('berth');
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const expected = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
    t.is(digestOf(bytes, algorithm), expected);
    t.is(`${algorithm}:${hashFor(expected).update(bytes).digest('hex')}`, expected);
    t.notThrows(() => verifyDigest(bytes, expected, 'it'));
    const error = t.throws(() => verifyDigest(Buffer.from('Berth'), expected, 'it'));
    t.true(isOciError(error, 'DIGEST_MISMATCH'));
  }
});
