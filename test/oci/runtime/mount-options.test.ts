import test from 'ava';

import { MOUNT_ATTR_FLAGS, MS_FLAGS } from '../../../src/linux/mount-flags.ts';
import { parseMountOptions, propagationFlags } from '../../../src/oci/runtime/mount-options.ts';

test('flags, recursion, propagation and data are told apart', (t) => {
  t.deepEqual(parseMountOptions(['rbind', 'ro', 'nosuid', 'rslave', 'size=64k', 'mode=755']), {
    flags: MS_FLAGS.MS_RDONLY | MS_FLAGS.MS_NOSUID,
    attrSet: MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY | MOUNT_ATTR_FLAGS.MOUNT_ATTR_NOSUID,
    attrClear: 0,
    attrRecursive: false,
    bind: 'rbind',
    propagation: MS_FLAGS.MS_SLAVE | MS_FLAGS.MS_REC,
    data: 'size=64k,mode=755',
  });
});

test('a later option takes an earlier one back', (t) => {
  const { flags, attrSet, attrClear } = parseMountOptions(['ro', 'noexec', 'rw']);
  t.is(flags, MS_FLAGS.MS_NOEXEC);
  t.is(attrSet, MOUNT_ATTR_FLAGS.MOUNT_ATTR_NOEXEC);
  t.is(attrClear, MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY);
});

test('rro makes the whole tree read-only, and is no file system data', (t) => {
  const { attrSet, attrRecursive, data } = parseMountOptions(['rbind', 'rro']);
  t.is(attrSet, MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY);
  t.true(attrRecursive);
  t.is(data, '');
});

test('access-time modes replace each other', (t) => {
  const { attrSet } = parseMountOptions(['noatime', 'strictatime']);
  t.is(attrSet, MOUNT_ATTR_FLAGS.MOUNT_ATTR_STRICTATIME);
});

test('propagation words are the eight of mount(8), and nothing else', (t) => {
  t.is(propagationFlags('private'), MS_FLAGS.MS_PRIVATE);
  t.is(propagationFlags('runbindable'), MS_FLAGS.MS_UNBINDABLE | MS_FLAGS.MS_REC);
  t.is(propagationFlags('rw'), undefined);
  t.is(propagationFlags('rprivates'), undefined);
});
