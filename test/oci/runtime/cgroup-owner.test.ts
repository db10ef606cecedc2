import test from 'ava';

import { cgroupOwner } from '../../../src/oci/runtime/cgroup-owner.ts';
import type { Linux, Mount } from '../../../src/oci/runtime/config.ts';

const MOUNT: Mount = { destination: '/sys/fs/cgroup', source: 'cgroup', type: 'cgroup', options: ['rw', 'nosuid'] };
const OWN: Linux = { namespaces: [{ type: 'cgroup' }] };
const MAPPED: Linux = {
  namespaces: [{ type: 'cgroup' }, { type: 'user' }],
  uidMappings: [
    { containerID: 0, hostID: 100_000, size: 1000 },
    { containerID: 1000, hostID: 5000, size: 1 },
  ],
};

function owner(linux: Linux, { uid = 0, mount = MOUNT }: { uid?: number; mount?: Mount } = {}): number | undefined {
  const process = { args: ['true'], cwd: '/', user: { uid, gid: 0 } };
  return cgroupOwner({
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process,
    mounts: [mount],
    linux,
  });
}

test('the cgroup belongs to who the process is on the host', (t) => {
  t.is(owner(MAPPED), 100_000);
  t.is(owner(MAPPED, { uid: 999 }), 100_999);
  t.is(owner(MAPPED, { uid: 1000 }), 5000);
  t.is(owner(OWN, { uid: 1000 }), 1000);
});

test('it stays with root where the process is root, or nobody', (t) => {
  t.is(owner(OWN), undefined);
  t.is(owner(MAPPED, { uid: 1001 }), undefined);
});

test('it stays with root where the container cannot write to it, or sees those of others', (t) => {
  t.is(owner(MAPPED, { mount: { ...MOUNT, options: ['ro'] } }), undefined);
  t.is(owner(MAPPED, { mount: { ...MOUNT, destination: '/other' } }), undefined);
  t.is(owner({ ...MAPPED, namespaces: [{ type: 'user' }] }), undefined);
  t.is(owner({ ...MAPPED, namespaces: [{ type: 'user' }, { type: 'cgroup', path: '/proc/1/ns/cgroup' }] }), undefined);
});
