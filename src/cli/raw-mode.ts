// Raw mode of the terminal that a person sits at, and the way back from it.
import { setRawMode, setTerminalMode, terminalMode } from '../linux/termios.ts';

const FATAL = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/**
 * Raw mode until disposed. The terminal is given back as it was also when this process exits early, throws, or is ended by
 * a signal that nobody else handles: all ways but SIGKILL.
 */
export class RawMode implements Disposable {
  readonly #fd: number;
  readonly #saved: Buffer;

  constructor(fd: number) {
    this.#fd = fd;
    this.#saved = terminalMode(fd);
    process.on('exit', this.#restore);
    for (const name of FATAL) process.on(name, this.#end);
    process.on('SIGCONT', this.#again);
    setRawMode(fd);
  }

  [Symbol.dispose](): void {
    this.#restore();
    process.off('exit', this.#restore);
    for (const name of FATAL) process.off(name, this.#end);
    process.off('SIGCONT', this.#again);
  }

  /** Never throws: the terminal may be gone by now, and then there is nothing to give back. */
  readonly #restore = (): void => {
    try {
      setTerminalMode(this.#fd, this.#saved);
    } catch {
      return;
    }
  };

  /** Another listener decides what the signal means; without one it is the end, as if nobody had listened. */
  readonly #end = (name: NodeJS.Signals): void => {
    if (process.listenerCount(name) > 1) return;
    this[Symbol.dispose]();
    process.kill(process.pid, name);
  };

  /** A shell that stopped and continued this process may have left its own mode. */
  readonly #again = (): void => setRawMode(this.#fd);
}
