import test from 'ava';

import { withNotifySocket } from '../../../src/cli/oci/notify-socket.ts';
import type { RuntimeConfig } from '../../../src/oci/runtime/config.ts';

const CONFIG: RuntimeConfig = {
  ociVersion: '1.2.0',
  root: { path: 'rootfs' },
  process: { user: { uid: 0, gid: 0 }, args: ['x'], cwd: '/', env: ['NOTIFY_SOCKET=/old', 'A=1'] },
};

test('the socket of the service manager is bound into the container, after all other mounts', (t) => {
  const { mounts, process } = withNotifySocket(
    { ...CONFIG, mounts: [{ destination: '/run', type: 'tmpfs' }] },
    '/run/s',
  );
  t.deepEqual(process?.env, ['A=1', 'NOTIFY_SOCKET=/run/notify/notify.sock']);
  t.deepEqual(mounts?.at(-1), {
    destination: '/run/notify/notify.sock',
    type: 'bind',
    source: '/run/s',
    options: ['bind', 'nosuid', 'noexec', 'nodev'],
  });
});

test('without one, with an abstract one, or without a program, nothing changes', (t) => {
  t.is(withNotifySocket(CONFIG, undefined), CONFIG);
  t.is(withNotifySocket(CONFIG, '@abstract'), CONFIG);
  const { process: _, ...rest } = CONFIG;
  t.is(withNotifySocket(rest, '/run/s'), rest);
});
