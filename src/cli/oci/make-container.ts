// From a bundle and flags to a container: what create and run have in common.
import { writeFileSync } from 'node:fs';

import { createContainer, type StartedMonitor } from '../../oci/runtime/create.ts';
import { deleteContainer } from '../../oci/runtime/delete.ts';
import type { Runtime } from '../../oci/runtime/runtime.ts';
import type { Values } from '../command.ts';
import { readBundle } from './bundle.ts';
import { openConsole, sendConsole } from './console-socket.ts';
import type { CREATION_FLAGS } from './creation-flags.ts';
import { withHome } from './home.ts';
import { withNotifySocket } from './notify-socket.ts';
import { preservedFds, withListenVariables } from './preserved-fds.ts';

const SIGTERM = 15;

export type MakeRequest = {
  readonly id: string;
  readonly flags: Values<typeof CREATION_FLAGS>;
  readonly mode: 'run' | 'create';
  /** Whether this process stays, so that the terminal can be joined with its own. */
  readonly stays: boolean;
  readonly systemd: boolean;
};

/**
 * Make the container; the caller is the parent of its process. When the terminal could not be handed over, or the pid file not be
 * written, it is gone again. Rejects with OciError or SyscallError.
 */
export async function makeContainer(runtime: Runtime, request: MakeRequest): Promise<StartedMonitor> {
  const { id, flags, mode, stays } = request;
  const bundle = readBundle(flags.bundle ?? '.');
  for (const warning of bundle.warnings) runtime.warn(warning);
  using console = openConsole({
    terminal: bundle.config.process?.terminal === true,
    socketPath: flags['console-socket'],
    stays,
  });
  const { config, labels } = withHome(withNotifySocket(withListenVariables(bundle.config)), bundle.rootfs);
  const monitor = await createContainer(runtime, {
    id,
    config,
    rootfs: { kind: 'directory', path: bundle.rootfs },
    bundle: bundle.directory,
    labels,
    stopSignal: SIGTERM,
    logFile: undefined,
    terminal: 'handed-out',
    mode,
    systemd: request.systemd,
    launch: {
      parent: 'caller',
      preservedFds: preservedFds(flags['preserve-fds']),
      noPivot: flags['no-pivot'],
      sessionKeyring: flags['no-new-keyring'] ? undefined : `_ses.${id}`,
    },
  });
  try {
    if (flags['pid-file'] !== undefined) writeFileSync(flags['pid-file'], String(monitor.pid));
    if (console !== undefined && monitor.terminal !== undefined) sendConsole(console, monitor.terminal);
    if (console !== undefined) monitor.terminal?.[Symbol.dispose]();
    return monitor;
  } catch (error) {
    await deleteContainer(runtime, id, { force: true });
    throw error;
  }
}
