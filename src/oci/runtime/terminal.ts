// How the master of a container's terminal comes out of the container: a pair of sockets, one end for the process that makes
// the terminal, the other for whoever asked. The monitor may keep that other end too: as long as the message with the
// master lies in it, the terminal is alive, whoever has gone away, and can be had again.
//
//   container ──sendmsg(SCM_RIGHTS master)──▶ [socket] ◀── peek: this process, at once
//                                                 ▲  ◀── peek: `openTerminal`, later
//                                                 └── monitor, until it ends
import { readFileSync } from 'node:fs';

import { Fd } from '../../linux/fd.ts';
import { isErrno } from '../../linux/errno.ts';
import { pidfdGetfd, pidfdOpen } from '../../linux/pidfd.ts';
import { readable } from '../../linux/poll.ts';
import { receiveFd } from '../../linux/receive-fd.ts';
import { socketpair } from '../../linux/socketpair.ts';
import { OciError } from '../error.ts';
import { MONITOR_NAME } from './monitor.ts';
import type { Runtime } from './runtime.ts';
import { requireState } from './state.ts';
import { TERMINAL_KEEP_FD, TERMINAL_SOCKET_FD } from './terminal-operations.ts';

/** `kept`: the terminal lives as long as the process. `handed-out`: it hangs up when whoever has the master closes it. */
export type TerminalLife = 'kept' | 'handed-out';

/** One terminal on its way out. Disposing closes the ends that this process has. */
export class TerminalChannel implements Disposable {
  readonly #life: TerminalLife;
  readonly #socket: Fd;
  readonly #theirs: Fd;

  constructor(life: TerminalLife) {
    this.#life = life;
    [this.#socket, this.#theirs] = socketpair();
  }

  /** Descriptors for the tape: [ours, theirs]. */
  get fds(): readonly (readonly [from: number, to: number])[] {
    const sending = [this.#theirs.number, TERMINAL_SOCKET_FD] as const;
    return this.#life === 'kept' ? [sending, [this.#socket.number, TERMINAL_KEEP_FD]] : [sending];
  }

  /** The tape has its descriptors: from now on the end of its processes is the end of the channel. */
  spawned(): void {
    this.#theirs[Symbol.dispose]();
  }

  /** The master, when it has been sent; undefined when it has not. */
  receive(): Fd | undefined {
    return receiveFd(this.#socket.number, this.#life === 'kept' ? 'peek' : 'take');
  }

  /** Wait for the master. Undefined when every process that could have sent it has ended. */
  async arrived(): Promise<Fd | undefined> {
    await readable(this.#socket.number);
    return this.receive();
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
    this.#theirs[Symbol.dispose]();
  }
}

/**
 * The master of the terminal that a running container keeps. Throws OciError CONTAINER_UNKNOWN, or CONTAINER_STATE when the
 * container does not run or has no terminal.
 */
export function openTerminal(runtime: Runtime, id: string): Fd {
  const { pid } = requireState(runtime.stateDirectory, id);
  using monitor = pid === 0 ? undefined : openMonitor(pid, id);
  using socket = monitor === undefined ? undefined : keptSocket(monitor);
  const terminal = socket === undefined ? undefined : receiveFd(socket.number, 'peek');
  if (terminal === undefined) throw new OciError('CONTAINER_STATE', `Container '${id}' has no terminal to attach to`);
  return terminal;
}

function keptSocket(monitor: Fd): Fd | undefined {
  try {
    return pidfdGetfd(monitor.number, TERMINAL_KEEP_FD);
  } catch (error) {
    if (isErrno(error, 'EBADF', 'ESRCH')) return undefined;
    throw error;
  }
}

/** The parent of the container's first process, if that is its monitor: opened first, then looked at, so that it is the same. */
function openMonitor(pid: number, id: string): Fd | undefined {
  try {
    const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    using pidfd = parent === '0' ? undefined : pidfdOpen(Number(parent));
    if (pidfd === undefined) return undefined;
    const isMonitor = readFileSync(`/proc/${parent}/cmdline`, 'utf8') === `${MONITOR_NAME}\0${id}\0`;
    return isMonitor ? new Fd(pidfd.release()) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
