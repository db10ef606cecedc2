import { openSync, closeSync } from 'node:fs';

import test from 'ava';

import { peerCredentials } from '../../src/linux/peer-credentials.ts';
import { socketpair } from '../../src/linux/socketpair.ts';

test('the peer of a socket pair is the process that made it', (t) => {
  const [one, other] = socketpair();
  using _one = one;
  using _other = other;
  t.deepEqual(peerCredentials(one.number), {
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
  });
});

test('a descriptor that is no socket is refused', (t) => {
  const fd = openSync('/dev/null', 'r');
  t.throws(() => peerCredentials(fd), { code: 'ENOTSOCK', message: /SO_PEERCRED/ });
  closeSync(fd);
});
