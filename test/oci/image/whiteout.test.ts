import test from 'ava';

import { isImageXattr, whiteoutOf } from '../../../src/oci/image/whiteout.ts';

for (const [path, expected] of [
  ['usr/bin/env', undefined],
  ['a.wh.b', undefined],
  ['.wh.a', { kind: 'remove', name: 'a' }],
  ['usr/.wh.bin', { kind: 'remove', name: 'bin' }],
  ['.wh...x', { kind: 'remove', name: '..x' }],
  ['.wh..wh..opq', { kind: 'opaque' }],
  ['usr/.wh..wh..opq', { kind: 'opaque' }],
  ['.wh..wh.plnk', { kind: 'skip' }],
  ['.wh..wh.plnk/123.4', { kind: 'skip' }],
  ['a/.wh..wh.orph/b/c', { kind: 'skip' }],
] as const) {
  test(`${path} is ${expected === undefined ? 'an ordinary entry' : JSON.stringify(expected)}`, (t) => {
    t.deepEqual(whiteoutOf(path), expected);
  });
}

for (const bad of ['.wh.', 'a/.wh.', 'a/.wh..', 'a/.wh...', '.wh.a/b', 'x/.wh.a/b']) {
  test(`the whiteout ${bad} is refused`, (t) => {
    t.throws(() => whiteoutOf(bad), { code: 'UNSAFE_PATH' });
  });
}

test('an image has a say in capabilities, access control lists and user attributes only', (t) => {
  const wanted = ['security.capability', 'system.posix_acl_access', 'system.posix_acl_default', 'user.mime_type'];
  const unwanted = [
    'trusted.overlay.redirect',
    'trusted.overlay.opaque',
    'trusted.anything',
    'user.overlay.opaque',
    'security.selinux',
    'security.ima',
    'system.nfs4_acl',
  ];
  for (const name of wanted) t.true(isImageXattr(name), name);
  for (const name of unwanted) t.false(isImageXattr(name), name);
});
