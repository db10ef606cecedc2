import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { MOUNT_ATTR_FLAGS, MOUNT_ATTR__ATIME, MS_FLAGS } from '../../../src/linux/mount-flags.ts';
import { MOUNT_OPTIONS, propagationFlags } from '../../../src/oci/runtime/mount-option-table.ts';
import { parseMountOptions } from '../../../src/oci/runtime/mount-options.ts';

const { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_STRICTATIME } = MOUNT_ATTR_FLAGS;

test('flags, recursion, propagation and data are told apart', (t) => {
  t.deepEqual(parseMountOptions(['rbind', 'ro', 'nosuid', 'rslave', 'size=64k', 'mode=755']), {
    flags: MS_FLAGS.MS_RDONLY | MS_FLAGS.MS_NOSUID,
    attributes: { set: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, clear: 0 },
    recursive: { set: 0, clear: 0 },
    bind: 'rbind',
    propagation: [MS_FLAGS.MS_SLAVE | MS_FLAGS.MS_REC],
    idmap: 'no',
    copyUp: false,
    data: 'size=64k,mode=755',
  });
});

test('a later option takes an earlier one back', (t) => {
  const { flags, attributes } = parseMountOptions(['ro', 'noexec', 'rw']);
  t.is(flags, MS_FLAGS.MS_NOEXEC);
  t.deepEqual(attributes, { set: MOUNT_ATTR_NOEXEC, clear: MOUNT_ATTR_RDONLY });
});

test('rro makes the whole tree read-only, and is no file system data', (t) => {
  const { attributes, recursive, data } = parseMountOptions(['rbind', 'rro', 'nosuid']);
  t.deepEqual(attributes, { set: MOUNT_ATTR_NOSUID, clear: 0 });
  t.deepEqual(recursive, { set: MOUNT_ATTR_RDONLY, clear: 0 });
  t.is(data, '');
});

test('access-time modes replace each other', (t) => {
  const { flags, attributes } = parseMountOptions(['noatime', 'strictatime']);
  t.is(flags, MS_FLAGS.MS_STRICTATIME);
  t.is(attributes.set, MOUNT_ATTR_STRICTATIME);
});

test('several propagation words stay in their order', (t) => {
  const { propagation } = parseMountOptions(['slave', 'bind', 'rshared']);
  t.deepEqual(propagation, [MS_FLAGS.MS_SLAVE, MS_FLAGS.MS_SHARED | MS_FLAGS.MS_REC]);
});

test('idmap, ridmap and tmpcopyup are no file system data', (t) => {
  const { idmap, copyUp, data } = parseMountOptions(['idmap', 'tmpcopyup', 'ridmap', 'rexecs', 'rsync', 'rremount']);
  t.is(idmap, 'ridmap');
  t.true(copyUp);
  t.is(data, 'rexecs,rsync,rremount');
});

test('propagation words are the eight of mount(8), and nothing else', (t) => {
  t.is(propagationFlags('private'), MS_FLAGS.MS_PRIVATE);
  t.is(propagationFlags('runbindable'), MS_FLAGS.MS_UNBINDABLE | MS_FLAGS.MS_REC);
  t.is(propagationFlags('rw'), undefined);
  t.is(propagationFlags('rprivates'), undefined);
  t.is(propagationFlags('constructor'), undefined);
});

const word = fc.oneof(
  fc.constantFrom(...Object.keys(MOUNT_OPTIONS)),
  fc.constantFrom(...Object.keys(MOUNT_OPTIONS)).map((option) => `r${option}`),
  fc.constantFrom('bind', 'rbind', 'shared', 'rslave', 'idmap', 'tmpcopyup', 'size=1k', 'constructor', '__proto__'),
  fc.string(),
);

test('whatever the options are, the kernel can be asked for them', (t) => {
  const property = fc.property(fc.array(word), (options) => {
    const { attributes, recursive, flags, data } = parseMountOptions(options);
    for (const { set, clear } of [attributes, recursive]) {
      assert.equal(set & clear & ~MOUNT_ATTR__ATIME, 0, 'no attribute is set and cleared');
      // mount_setattr(2): a mode of access times is only set where the whole field is cleared.
      if ((set & MOUNT_ATTR__ATIME) !== 0) assert.equal(clear & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME);
    }
    assert.equal(flags & (MS_FLAGS.MS_BIND | MS_FLAGS.MS_REC), 0);
    assert.ok(options.length > 0 || data === '');
  });
  t.notThrows(() => fc.assert(property));
});

test('every option is worth its last place: what stands before a word of the same kind does not matter', (t) => {
  const property = fc.property(fc.array(word), fc.constantFrom(...Object.keys(MOUNT_OPTIONS)), (options, last) => {
    const { set = 0, attrSet = 0 } = MOUNT_OPTIONS[last] ?? {};
    const { flags, attributes } = parseMountOptions([...options, last]);
    assert.equal(flags & set, set);
    assert.equal(attributes.set & attrSet, attrSet);
  });
  t.notThrows(() => fc.assert(property));
});

test('what is no option is passed on as it was written, in its order', (t) => {
  const unknown = fc.stringMatching(/^[a-z]+=[a-z0-9]+$/);
  const property = fc.property(fc.array(unknown), (options) => {
    assert.equal(parseMountOptions(options).data, options.join(','));
  });
  t.notThrows(() => fc.assert(property));
});
