// Who is asked about calls of SCMP_ACT_NOTIFY gets the descriptor to be asked at, with the container process state
// (config-linux.md, "The Container Process State"), over a connection of its own.
//
//   tape (filtered)              this process                          listener
//     │                             │── connect, before anything runs ──▶│
//     │── write {descriptor} ──────▶│ pidfd_getfd                        │
//     │   … blocks: the pipe is full│── state, SCM_RIGHTS descriptor ───▶│
//     │◀── reads the rest ──────────│── close ──────────────────────────▶│
//     │ execve
import { readSync } from 'node:fs';

import { SyscallError } from '../../linux/errno.ts';
import { setBlocking, setPipeSize } from '../../linux/fcntl.ts';
import type { Fd } from '../../linux/fd.ts';
import { pidfdGetfd, pidfdOpen, pidfdSendSignal } from '../../linux/pidfd.ts';
import { pipe } from '../../linux/pipe.ts';
import { readable } from '../../linux/poll.ts';
import { sendFd } from '../../linux/send-fd.ts';
import { parseRecords } from '../../linux/tape/failure.ts';
import { readSome } from '../../linux/tape/run.ts';
import { connectUnix } from '../../linux/unix-socket.ts';
import { OciError } from '../error.ts';
import type { Seccomp } from './config.ts';
import { hookState, type HookStatus, type HookSubject } from './hook-state.ts';
import { planSeccomp, type SeccompListener } from './seccomp-config.ts';
import { LISTENER_PIPE_FD, LISTENER_WRITE_SIZE } from './seccomp-operations.ts';

const SIGKILL = 9;

/** The container that is asked about. `subject.pid` 0: its first process is the one that is filtered. */
export type ListenerSubject = { readonly subject: HookSubject; readonly status: HookStatus };

/** The connection to the listener of a profile. Undefined when it asks nobody. Throws OciError START_FAILED when nobody listens. */
export function openSeccompHandout(seccomp: Seccomp | undefined, subject: ListenerSubject): SeccompHandout | undefined {
  const listener = planSeccomp(seccomp)?.listener;
  return listener === undefined ? undefined : new SeccompHandout(listener, subject);
}

/** One listener on its way from a tape to whoever listens. Disposing closes what this process has of it. */
export class SeccompHandout implements Disposable {
  readonly #listener: SeccompListener;
  readonly #subject: ListenerSubject;
  readonly #socket: Fd;
  readonly #ours: Fd;
  readonly #theirs: Fd;
  #refusal: { readonly kind: 'refused'; readonly error: unknown } | undefined;

  constructor(listener: SeccompListener, subject: ListenerSubject) {
    this.#listener = listener;
    this.#subject = subject;
    this.#socket = connect(listener.path);
    const { read, write } = pipe();
    [this.#ours, this.#theirs] = [read, write];
    setPipeSize(write.number, 1);
    setBlocking(write.number); // the tape waits in write(2)
  }

  /** Descriptors for the tape: [ours, theirs]. */
  get fds(): readonly (readonly [from: number, to: number])[] {
    return [[this.#theirs.number, LISTENER_PIPE_FD]];
  }

  /** Why the listener did not get it, unless the tape says so itself. The process that was to be filtered is dead then. */
  get refusal(): { readonly kind: 'refused'; readonly error: unknown } | undefined {
    return this.#refusal;
  }

  /**
   * Wait for the tape and hand its listener over. `status` is the status pipe, `early` what came through it so far; returns what
   * came through it until now. A tape that fails before it gets there is passed over.
   */
  async meet(status: number, early: Buffer): Promise<Buffer> {
    this.#theirs[Symbol.dispose]();
    await readable(this.#ours.number);
    const record = Buffer.alloc(8);
    if (readSync(this.#ours.number, record) === 0) {
      const why = 'it did not come out of the container: the profile must allow write';
      this.#refusal = { kind: 'refused', error: new OciError('START_FAILED', `No seccomp listener to send: ${why}`) };
      return early;
    }
    const { pid, bytes } = await startedPid(status, early);
    try {
      this.#handOver(pid, Number(record.readBigInt64LE(0)));
      await this.#letGo();
    } catch (error) {
      kill(pid);
      const { path } = this.#listener;
      this.#refusal = { kind: 'refused', error: failure(`Cannot send the seccomp listener to '${path}'`, error) };
    } finally {
      this.#socket[Symbol.dispose]();
    }
    return bytes;
  }

  #handOver(pid: number, descriptor: number): void {
    using pidfd = pid === 0 ? undefined : pidfdOpen(pid);
    if (pidfd === undefined) throw new OciError('START_FAILED', 'the process has ended');
    using listener = pidfdGetfd(pidfd.number, descriptor);
    sendFd(this.#socket.number, listener.number, this.#state(pid));
  }

  #state(pid: number): string {
    const { subject, status } = this.#subject;
    const { metadata } = this.#listener;
    const of = subject.pid === 0 ? { ...subject, pid } : subject;
    return JSON.stringify({
      ociVersion: subject.config.ociVersion,
      fds: ['seccompFd'],
      pid,
      ...(metadata === undefined ? {} : { metadata }),
      state: JSON.parse(hookState(of, status)) as unknown,
    });
  }

  async #letGo(): Promise<void> {
    for (let left = LISTENER_WRITE_SIZE - 8; left > 0;) {
      const chunk = readSome(this.#ours.number);
      if (chunk?.length === 0) return;
      if (chunk === undefined) await readable(this.#ours.number);
      else left -= chunk.length;
    }
  }

  [Symbol.dispose](): void {
    for (const fd of [this.#socket, this.#ours, this.#theirs]) fd[Symbol.dispose]();
  }
}

function connect(path: string): Fd {
  try {
    return connectUnix(path);
  } catch (error) {
    if (!(error instanceof SyscallError) && !(error instanceof RangeError)) throw error;
    throw failure('Cannot connect to linux.seccomp.listenerPath', error);
  }
}

function failure(tried: string, error: unknown): OciError {
  const reason = error instanceof Error ? error.message : String(error);
  return new OciError('START_FAILED', `${tried}: ${reason}`, { cause: error });
}

/** The pid that the monitor reports (0 when it was killed before), and everything read on the way to it. */
async function startedPid(status: number, early: Buffer): Promise<{ readonly pid: number; readonly bytes: Buffer }> {
  let bytes = early;
  for (;;) {
    const started = parseRecords(bytes).find((record) => record.kind === 'started' && record.pid > 0);
    if (started?.kind === 'started') return { pid: started.pid, bytes };
    const chunk = readSome(status);
    if (chunk?.length === 0) return { pid: 0, bytes };
    if (chunk === undefined) await readable(status);
    else bytes = Buffer.concat([bytes, chunk]);
  }
}

function kill(pid: number): void {
  using pidfd = pid === 0 ? undefined : pidfdOpen(pid);
  if (pidfd !== undefined) pidfdSendSignal(pidfd.number, SIGKILL);
}
