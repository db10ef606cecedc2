import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { isOciError } from '../../../src/oci/error.ts';
import type { TarHeader } from '../../../src/oci/image/tar-entry.ts';
import { TAR_LIMITS, TarParser, type TarLimits } from '../../../src/oci/image/tar-parser.ts';
import { tarBytes, type TestEntry } from './tar-bytes.ts';

type Read = { readonly header: TarHeader; readonly body: Buffer };

/** Parse an archive that arrives in pieces of these sizes (the last one repeats). */
function read(
  archive: Buffer,
  pieces: readonly number[] = [archive.length || 1],
  limits: TarLimits = TAR_LIMITS,
): Read[] {
  const entries: Read[] = [];
  let header: TarHeader | undefined;
  let parts: Buffer[] = [];
  const parser = new TarParser(
    {
      entry: (next) => (header = next),
      data: (bytes) => parts.push(Buffer.from(bytes)),
      end: () => {
        assert(header);
        entries.push({ header, body: Buffer.concat(parts) });
        parts = [];
      },
    },
    limits,
  );
  for (let offset = 0, turn = 0; offset < archive.length; turn++) {
    const size = pieces[Math.min(turn, pieces.length - 1)] ?? 1;
    parser.push(archive.subarray(offset, offset + size));
    offset += size;
  }
  parser.finish();
  return entries;
}

const invalid = { code: 'TAR_INVALID' };

const entry: fc.Arbitrary<TestEntry> = fc.record({
  name: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 90 }).filter((name) => !name.includes('\0')),
  type: fc.constantFrom('0', '2', '5', '6'),
  body: fc.uint8Array({ maxLength: 1500 }),
  linkname: fc.stringMatching(/^[a-z/.]{0,50}$/),
  mode: fc.nat(0o7777),
  uid: fc.oneof(fc.nat(0o7777777), fc.constant(4_000_000_000)),
  gid: fc.nat(70_000),
  mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
});

test('entries are read back as they were written, in whatever pieces they arrive', (t) => {
  const pieces = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), pieces, (entries, sizes) => {
        const written = entries.map((each) => (each.type === '0' ? each : { ...each, body: '' }));
        const found = read(tarBytes(written), sizes);
        assert.equal(found.length, written.length);
        for (const [index, { header, body }] of found.entries()) {
          const { name, mode, uid, gid, mtime, linkname, type } = written[index] ?? assert.fail();
          assert.deepEqual({ ...header, type: '' }, { ...header, type: '', name, mode, uid, gid, mtime, linkname });
          if (type === '0') assert.deepEqual(body, Buffer.from(written[index]?.body ?? ''));
        }
      }),
    ),
  );
});

test('random bytes and mutated archives never do anything but end or throw TAR_INVALID', (t) => {
  const valid = tarBytes([
    { name: 'a', body: 'hello', pax: { mtime: '1.5', 'SCHILY.xattr.user.x': 'y' } },
    { name: 'link', type: '2', linkname: 'a' },
    { name: '././@LongLink', type: 'L', body: 'x'.repeat(200) },
    { name: 'b' },
  ]);
  const mutation = fc.record({ at: fc.nat(valid.length - 1), to: fc.nat(255) });
  const mutated = fc.array(mutation, { minLength: 1, maxLength: 8 }).map((changes) => {
    const copy = Buffer.from(valid);
    for (const { at, to } of changes) copy[at] = to;
    return copy;
  });
  const random = fc.uint8Array({ maxLength: 4000 }).map((bytes) => Buffer.from(bytes));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(mutated, random), (archive) => {
        try {
          read(archive, [700]);
        } catch (error) {
          assert(isOciError(error, 'TAR_INVALID'), String(error));
        }
      }),
      { numRuns: 500 },
    ),
  );
});

test('an extended header overrides the fields of its entry, and no other', (t) => {
  const pax = {
    path: 'long/näme',
    mtime: '-1.25',
    uid: '70000',
    size: '5',
    'SCHILY.xattr.security.capability': '\x01\0\n=',
  };
  const [first, second] = read(
    tarBytes([
      { name: 'short', body: 'hello', size: 0, pax },
      { name: 'other', mtime: 7 },
    ]),
  );
  t.like(first?.header, { name: 'long/näme', mtime: -2, mtimeNs: 750_000_000, uid: 70_000, size: 5 });
  t.is(first?.body.toString(), 'hello');
  t.deepEqual(first?.header.xattrs, new Map([['security.capability', Buffer.from('\x01\0\n=', 'latin1')]]));
  t.like(second?.header, { name: 'other', mtime: 7, mtimeNs: 0, uid: 0, xattrs: undefined });
});

test('libarchive attributes are decoded, and give way to the exact form', (t) => {
  const [found] = read(
    tarBytes([
      {
        name: 'x',
        pax: { 'SCHILY.xattr.user.b': 'exact', 'LIBARCHIVE.xattr.user.%62': 'AAA=', 'LIBARCHIVE.xattr.user.c': 'AQI=' },
      },
    ]),
  );
  t.deepEqual(
    found?.header.xattrs,
    new Map([
      ['user.b', Buffer.from('exact')],
      ['user.c', Buffer.of(1, 2)],
    ]),
  );
});

test('a global header applies to all later entries, and an own one wins', (t) => {
  const global = { name: 'pax_global_header', type: 'g', body: '13 mtime=111\n' };
  const found = read(tarBytes([{ name: 'before' }, global, { name: 'a' }, { name: 'b', pax: { mtime: '5' } }]));
  t.deepEqual(
    found.map(({ header }) => [header.name, header.mtime]),
    [
      ['before', 0],
      ['a', 111],
      ['b', 5],
    ],
  );
});

for (const record of ['10 path=a\n', '10 size=1\n', '14 linkpath=a\n']) {
  test(`a global header must not say ${JSON.stringify(record)}`, (t) => {
    t.throws(() => read(tarBytes([{ name: 'g', type: 'g', body: record }, { name: 'a' }])), invalid);
  });
}

test('GNU long names and long link targets are put together', (t) => {
  const [found] = read(
    tarBytes([
      { name: '././@LongLink', type: 'K', body: `${'t'.repeat(150)}\0`, magic: 'ustar  \0' },
      { name: '././@LongLink', type: 'L', body: `${'n'.repeat(300)}\0`, magic: 'ustar  \0' },
      { name: 'nnn', type: '2', linkname: 'ttt', magic: 'ustar  \0' },
    ]),
  );
  t.like(found?.header, { name: 'n'.repeat(300), linkname: 't'.repeat(150), type: 'symlink' });
});

test('an archive may end without blocks of zeros, and what follows them is ignored', (t) => {
  t.is(read(tarBytes([{ name: 'a', body: 'x' }], { end: false })).length, 1);
  t.is(read(Buffer.concat([tarBytes([{ name: 'a' }]), Buffer.from('rest'.repeat(500))])).length, 1);
});

const refused: readonly (readonly [string, Buffer])[] = [
  ['a body that is cut', tarBytes([{ name: 'a', body: 'x'.repeat(600) }], { end: false }).subarray(0, 700)],
  ['a header that is cut', tarBytes([{ name: 'a' }], { end: false }).subarray(0, 300)],
  ['an extended header without an entry', tarBytes([{ name: 'p', type: 'x', body: '9 uid=1\n\n' }], { end: false })],
  ['something after a lone block of zeros', Buffer.concat([Buffer.alloc(512), tarBytes([{ name: 'a' }])])],
  ['a GNU sparse file', tarBytes([{ name: 'a', type: 'S' }])],
  ['a pax sparse file', tarBytes([{ name: 'a', pax: { 'GNU.sparse.major': '1' } }])],
  ['a type that nobody knows', tarBytes([{ name: 'a', type: 'Z' }])],
  ['a negative size', tarBytes([{ name: 'a', size: -5 }])],
  ['an owner of -1', tarBytes([{ name: 'a', uid: -1 }])],
  ['an owner that chown takes for none', tarBytes([{ name: 'a', pax: { uid: '4294967295' } }])],
  ['a path with a zero byte', tarBytes([{ name: 'a', pax: { path: 'a\0b' } }])],
  ['a record without a length', tarBytes([{ name: 'p', type: 'x', body: 'path=a\n' }, { name: 'a' }])],
  ['a record that is longer than its header', tarBytes([{ name: 'p', type: 'x', body: '99 path=a\n' }, { name: 'a' }])],
  ['a record without an =', tarBytes([{ name: 'p', type: 'x', body: '8 patha\n' }, { name: 'a' }])],
  ['a time that is none', tarBytes([{ name: 'a', pax: { mtime: 'now' } }])],
  ['a size that is none', tarBytes([{ name: 'a', pax: { size: '1e3' } }])],
];
for (const [what, archive] of refused) {
  test(`refused: ${what}`, (t) => {
    t.throws(() => read(archive), invalid);
  });
}

test('limits hold: entries, names, extended headers', (t) => {
  const limits = { entries: 3, nameBytes: 20, extendedBytes: 100 };
  const check = (entries: readonly TestEntry[]): Read[] => read(tarBytes(entries), undefined, limits);
  t.is(check([{ name: 'a' }, { name: 'b' }, { name: 'c' }]).length, 3);
  t.throws(() => check([{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }]), {
    ...invalid,
    message: /more than 3 entries/,
  });
  t.throws(() => check([{ name: 'x'.repeat(21) }]), { ...invalid, message: /21 bytes/ });
  t.throws(() => check([{ name: 'l', type: '2', linkname: 'x'.repeat(21) }]), invalid);
  t.throws(() => check([{ name: 'a', pax: { comment: 'x'.repeat(101) } }]), { ...invalid, message: /extended header/ });
  t.throws(() => check([{ name: 'L', type: 'L', body: 'x'.repeat(22) }, { name: 'a' }]), invalid);
});

test('a hostile name is printed without control characters', (t) => {
  const error = t.throws(() => read(tarBytes([{ name: 'a\u001b[31m\nfake log line', type: 'Z' }])), invalid);
  t.false(/\p{Cc}/u.test(error?.message ?? '\n'));
});
