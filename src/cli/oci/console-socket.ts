// --console-socket: the terminal of a container goes to whoever listens there, as runc has it (docs/terminals.md of runc).
import { SyscallError } from '../../linux/errno.ts';
import type { Fd } from '../../linux/fd.ts';
import { sendFd } from '../../linux/send-fd.ts';
import { connectUnix } from '../../linux/unix-socket.ts';
import { OciError } from '../../oci/error.ts';

/** What comes with the descriptor: the name of what was opened. */
const NAME = '/dev/ptmx';

export type ConsoleUse = {
  /** process.terminal of config.json. */
  readonly terminal: boolean;
  readonly socketPath: string | undefined;
  /** Whether this process stays, so that the terminal can be joined with its own. */
  readonly stays: boolean;
};

/** Connect to the console socket, where one is needed. Throws OciError CONFIG_INVALID when it is missing, or nobody listens. */
export function openConsole({ terminal, socketPath, stays }: ConsoleUse): Fd | undefined {
  const needed = terminal && !stays;
  if (socketPath === undefined) {
    if (!needed) return undefined;
    throw new OciError('CONFIG_INVALID', 'process.terminal is true: --console-socket must say where the terminal goes');
  }
  if (!needed) {
    const why = terminal ? 'the terminal is joined with this one; use --detach' : 'process.terminal is false';
    throw new OciError('CONFIG_INVALID', `--console-socket is of no use here: ${why}`);
  }
  try {
    return connectUnix(socketPath);
  } catch (error) {
    if (!(error instanceof SyscallError) && !(error instanceof RangeError)) throw error;
    throw new OciError('CONFIG_INVALID', `Cannot connect to the console socket: ${error.message}`, { cause: error });
  }
}

/** Hand the terminal over. Throws SyscallError when whoever listened has gone. */
export function sendConsole(socket: Fd, terminal: Fd): void {
  sendFd(socket.number, terminal.number, NAME);
}
