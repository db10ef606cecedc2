// A process in a container that this command waits for: signals go to it, and a terminal is joined with this one.
import type { Fd } from '../../linux/fd.ts';
import { pidfdOpen, pidfdSendSignal } from '../../linux/pidfd.ts';
import { signalNumber } from '../../linux/signal.ts';
import type { ExitStatus } from '../../linux/siginfo.ts';

/** All that can be caught, but for those that are about this process: its children, its timers, its terminal's size and input. */
const FORWARDED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGURG',
  'SIGIO',
  'SIGPWR',
] as const;

export type ForegroundProcess = {
  readonly pid: number;
  readonly terminal: Fd | undefined;
  readonly ended: Promise<ExitStatus | undefined>;
};

/** Signals to this process, from now until disposed: kept until there is a process to pass them on to. */
export class ForwardedSignals implements Disposable {
  #early: number[] = [];
  #pidfd: Fd | undefined;

  constructor() {
    for (const name of FORWARDED) process.on(name, this.#forward);
  }

  /** From here on they go to this child, which has not been reaped yet. */
  passTo(pid: number): void {
    this.#pidfd = pidfdOpen(pid);
    for (const signal of this.#early) this.#send(signal);
    this.#early = [];
  }

  [Symbol.dispose](): void {
    for (const name of FORWARDED) process.off(name, this.#forward);
    this.#pidfd?.[Symbol.dispose]();
    this.#pidfd = undefined;
  }

  readonly #forward = (name: NodeJS.Signals): void => {
    const signal = signalNumber(name);
    if (signal !== undefined) this.#send(signal);
  };

  /** A process that has ended hears nothing. */
  #send(signal: number): void {
    if (this.#pidfd === undefined) this.#early.push(signal);
    else pidfdSendSignal(this.#pidfd.number, signal);
  }
}

/** Start a child in a container and wait for its end. Undefined: nobody knows how it ended. */
export async function runForeground(start: () => Promise<ForegroundProcess>): Promise<ExitStatus | undefined> {
  using signals = new ForwardedSignals();
  const child = await start();
  using terminal = child.terminal;
  signals.passTo(child.pid);
  if (terminal !== undefined) {
    const { runTerminalSession } = await import('../terminal-session.ts');
    await runTerminalSession(terminal, child.ended);
  }
  return await child.ended; // what is in use here ends after it
}
