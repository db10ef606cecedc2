// The terminal of this process, joined with one of a container: keys go in, what the program writes comes out, and both have
// the same size.
import type { Fd } from '../linux/fd.ts';
import { setNonBlocking } from '../linux/fcntl.ts';
import { openPeer, setWindowSize, windowSize, type WindowSize } from '../linux/pty.ts';
import { RawMode } from './raw-mode.ts';
import { copyOutput, TerminalInput } from './terminal-streams.ts';

export type SessionOptions = {
  /** Whether standard input goes in. Default true. */
  readonly input?: boolean;
  /** Whether ctrl-p ctrl-q leaves. Default false: the program gets these keys like all others. */
  readonly detachable?: boolean;
};

/** `left`: by the keys to leave, or because the person's own terminal is gone. The process runs on. */
export type SessionEnd = 'ended' | 'left';

/**
 * Join this process's standard streams with a terminal until `ended` is settled (how does not matter here) and all that was
 * written has come out. Where standard input is a terminal, it is raw meanwhile, and as before afterwards, however this
 * process ends. The caller keeps `master`. Throws SyscallError.
 */
export async function runTerminalSession(
  master: Fd,
  ended: Promise<unknown>,
  { input = true, detachable = false }: SessionOptions = {},
): Promise<SessionEnd> {
  const over = new AbortController();
  const left = new AbortController();
  const leaving = Promise.withResolvers<SessionEnd>();
  setNonBlocking(master.number);
  // With a slave of ours, a program that closes its terminal and opens it again does not end the session.
  using _slave = openPeer(master.number);
  using _size = sizeFollower(master.number);
  using _raw = input && process.stdin.isTTY ? new RawMode(process.stdin.fd) : undefined;
  using _keys = input
    ? new TerminalInput(master.number, {
        detachable,
        onLeave: () => leaving.resolve('left'),
        onError: leaving.reject,
      })
    : undefined;
  const output = copyOutput(master.number, { ended: over.signal, left: left.signal });
  output.catch(leaving.reject);
  const settled = ended.then(
    (): SessionEnd => 'ended',
    (): SessionEnd => 'ended',
  );
  const end = await Promise.race([settled, leaving.promise]).catch((error: unknown) => {
    left.abort();
    throw error;
  });
  (end === 'left' ? left : over).abort();
  await output;
  return end;
}

/** The size of the terminal that this process writes to, or reads from; undefined when it has none. */
export function ownTerminalSize(): WindowSize | undefined {
  const terminal = [process.stdout, process.stdin].find(({ isTTY }) => isTTY);
  return terminal === undefined ? undefined : windowSize(terminal.fd);
}

function sizeFollower(master: number): Disposable {
  const follow = (): void => {
    const size = ownTerminalSize();
    if (size !== undefined) setWindowSize(master, size);
  };
  follow();
  process.on('SIGWINCH', follow);
  return { [Symbol.dispose]: () => void process.off('SIGWINCH', follow) };
}
