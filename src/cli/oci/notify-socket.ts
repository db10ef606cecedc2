// NOTIFY_SOCKET: the program of a container tells the service manager itself that it is ready (sd_notify(3)). The socket is bound
// into the container, so nobody has to pass messages on; the unit needs `NotifyAccess=all`, as the sender is not its first process.
import type { RuntimeConfig } from '../../oci/runtime/config.ts';

const INSIDE = '/run/notify/notify.sock';

/** The configuration with the socket, when the caller has one that has a path. Pure. */
export function withNotifySocket(
  config: RuntimeConfig,
  socket: string | undefined = process.env['NOTIFY_SOCKET'],
): RuntimeConfig {
  const { process: program, mounts } = config;
  if (program === undefined || socket?.startsWith('/') !== true) return config;
  const others = (program.env ?? []).filter((entry) => !entry.startsWith('NOTIFY_SOCKET='));
  const mount = { destination: INSIDE, type: 'bind', source: socket, options: ['bind', 'nosuid', 'noexec', 'nodev'] };
  return {
    ...config,
    process: { ...program, env: [...others, `NOTIFY_SOCKET=${INSIDE}`] },
    mounts: [...(mounts ?? []), mount],
  };
}
