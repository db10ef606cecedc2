import test from 'ava';

import { longestMountPoint, mountPointOf } from '../../src/linux/mount-point.ts';

const MOUNTINFO = `1 0 8:1 / / rw - ext4 /dev/sda rw
2 1 0:2 / /srv rw - tmpfs t rw
3 2 0:3 / /srv/a\\040b rw - tmpfs t rw
4 1 0:4 / /srvx rw - tmpfs t rw
`;

test('a path is in the mount of the longest mount point above it', (t) => {
  t.is(longestMountPoint(MOUNTINFO, '/srv/x/y'), '/srv');
  t.is(longestMountPoint(MOUNTINFO, '/srv/a b/c'), '/srv/a b');
  t.is(longestMountPoint(MOUNTINFO, '/srv'), '/srv');
  t.is(longestMountPoint(MOUNTINFO, '/srvy'), '/');
});

test('/proc is a mount of this machine', (t) => {
  t.is(mountPointOf('/proc/self'), '/proc');
});
