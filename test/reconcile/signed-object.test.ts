import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import { parseSignedCommit, parseSignedTag } from '../../src/reconcile/signed-object.ts';
import { SourceError } from '../../src/reconcile/source.ts';

const TREE = 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n';
const WHO = 'author A <a@example.test> 1700000000 +0000\ncommitter A <a@example.test> 1700000001 +0000\n';
const SSH = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n';
const HEADER = `gpgsig ${SSH.trimEnd().replaceAll('\n', '\n ')}\n`;

function commit(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join(''), 'latin1');
}

test('a commit is signed without the header that holds its signature', (t) => {
  const signed = parseSignedCommit(commit(TREE, WHO, HEADER, '\nSubject\n'));
  t.is(signed?.payload.toString(), `${TREE}${WHO}\nSubject\n`);
  t.is(signed?.signature, SSH);
  t.is(signed?.format, 'ssh');
  t.is(signed?.madeAt, 1_700_000_001);
});

test('a commit without a signature has none, whatever its message says', (t) => {
  t.is(parseSignedCommit(commit(TREE, WHO, `\n${HEADER}${SSH}`)), undefined);
});

const refused = test.macro({
  exec(t, content: Buffer, reason: RegExp) {
    t.throws(() => parseSignedCommit(content), { code: 'SOURCE_SIGNATURE_INVALID', message: reason });
  },
  title: (title = '') => `${title} is refused`,
});

test('a commit with two signatures', refused, commit(TREE, WHO, HEADER, HEADER, '\nx'), /several/);
test('a second signature under another name', refused, commit(TREE, WHO, HEADER, 'gpgsig-x y\n', '\nx'), /several/);
test(
  'two signatures in one header',
  refused,
  commit(TREE, WHO, HEADER, HEADER.replace('gpgsig', ''), '\nx'),
  /several/,
);
test('a commit with two committers', refused, commit(TREE, WHO, WHO, HEADER, '\nx'), /exactly one line 'committer'/);
test('a commit without a time', refused, commit(TREE, 'committer A\n', HEADER, '\nx'), /when it was made/);
test('a header that begins with a blank', refused, commit(' x\n', TREE, WHO, HEADER, '\nx'), /headers/);

const TAG = `object ${'1'.repeat(40)}\ntype commit\ntag v1\ntagger A <a@example.test> 1700000000 +0000\n\nOne\n`;

test('a tag is signed up to its signature', (t) => {
  const signed = parseSignedTag(Buffer.from(TAG + SSH), 'refs/tags/v1');
  t.is(signed?.payload.toString(), TAG);
  t.is(signed?.signature, SSH);
});

test('a signed tag is good for its own name alone', (t) => {
  const given = { code: 'SOURCE_SIGNATURE_INVALID', message: /'v1', and was given as refs\/tags\/v2/ } as const;
  t.throws(() => parseSignedTag(Buffer.from(TAG + SSH), 'refs/tags/v2'), given);
});

test('a tag with two signatures, or of another tag, is refused', (t) => {
  const code = 'SOURCE_SIGNATURE_INVALID';
  t.throws(() => parseSignedTag(Buffer.from(TAG + SSH + SSH), 'refs/tags/v1'), { code });
  t.throws(() => parseSignedTag(Buffer.from(TAG.replace('type commit', 'type tag') + SSH), 'refs/tags/v1'), { code });
});

test('whatever the bytes are, the answer is a signature, none, or a refusal; and a payload holds no signature', (t) => {
  const pieces = fc.constantFrom(TREE, WHO, HEADER, SSH, 'gpgsig', ' ', '\n', '\0', 'tag v1\n', 'type commit\n', 'é');
  const property = fc.property(fc.array(pieces, { maxLength: 10 }), (parts) => {
    const content = commit(...parts);
    for (const parse of [parseSignedCommit, (one: Buffer) => parseSignedTag(one, 'refs/tags/v1')]) {
      try {
        const signed = parse(content);
        if (signed === undefined) continue;
        const [head = ''] = signed.payload.toString('latin1').split('\n\n');
        assert(!/^gpgsig/m.test(head));
        assert(content.length > signed.payload.length);
      } catch (error) {
        assert(error instanceof SourceError, String(error));
      }
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 3000 }));
});
