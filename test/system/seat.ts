// A seat at a terminal of the host: a shell leads the session in it, and runs one program.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { terminalMode } from '../../src/linux/termios.ts';
import { openScreen, type Screen } from '../tools/screen.ts';

const SIZE = { rows: 30, columns: 100 };
/** The program, as the shell that leads the session runs it. */
export const AS_LEADER = '"$@"; echo code $?; read line';
const NAMED = 'echo pid $$; exec "$@"';

export class Seat implements Disposable {
  readonly screen: Screen;
  readonly #before: Buffer;
  readonly #leader: ChildProcess;

  /** Run `words`. The shell stays until the test has looked: the kernel resets a terminal whose session's leader ends. */
  constructor(words: readonly string[], script: string = AS_LEADER) {
    const { screen, slave } = openScreen(SIZE);
    using _slave = slave;
    this.screen = screen;
    this.#before = terminalMode(screen.master.number);
    this.#leader = spawn('setsid', ['--ctty', 'sh', '-c', script, 'sh', 'sh', '-c', NAMED, 'sh', ...words], {
      stdio: [slave.number, slave.number, slave.number],
    });
  }

  /** The number of the program's process. To be asked for before anything else that it shows. */
  async pid(): Promise<number> {
    return Number(/pid (\d+)/.exec(await this.screen.until(/pid \d+\r\n/))?.[1]);
  }

  /** The shell's word for how the program ended. */
  async code(): Promise<number> {
    return Number(/code (\d+)/.exec(await this.screen.until(/code \d+\r\n/))?.[1]);
  }

  /** Whether the terminal has the mode that it began with. */
  isAsBefore(): boolean {
    return terminalMode(this.screen.master.number).equals(this.#before);
  }

  async leave(): Promise<void> {
    const exited = once(this.#leader, 'exit');
    this.screen.type('\n');
    await exited;
  }

  [Symbol.dispose](): void {
    this.screen[Symbol.dispose]();
  }
}
