import test from 'ava';

import { hostUid } from '../../../src/oci/runtime/give-streams.ts';

const user = [{ type: 'user' }] as const;

test('a user is who it is outside, where there is no user namespace', (t) => {
  t.is(hostUid(1000, {}), 1000);
  t.is(hostUid(0, { namespaces: [{ type: 'pid' }] }), 0);
});

test('in a user namespace the mappings say who it is', (t) => {
  const uidMappings = [
    { containerID: 0, hostID: 100_000, size: 1000 },
    { containerID: 1000, hostID: 5, size: 1 },
  ];
  t.is(hostUid(0, { namespaces: user, uidMappings }), 100_000);
  t.is(hostUid(999, { namespaces: user, uidMappings }), 100_999);
  t.is(hostUid(1000, { namespaces: user, uidMappings }), 5);
  t.is(hostUid(1001, { namespaces: user, uidMappings }), undefined);
  t.is(hostUid(0, { namespaces: [{ type: 'user', path: '/ns' }] }), undefined);
});
