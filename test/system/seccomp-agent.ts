// Somebody who is asked about calls of SCMP_ACT_NOTIFY: seccomp-agent.py, and what it was told.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { findProgram } from './busybox-bundle.ts';

/** The container process state of the runtime specification, and how it came. */
export type Told = {
  readonly state: {
    readonly ociVersion: string;
    readonly fds: readonly string[];
    readonly pid: number;
    readonly metadata?: string;
    readonly state: { readonly id: string; readonly status: string; readonly pid: number; readonly bundle: string };
  };
  readonly fds: number;
  /** Whether nothing came after it, and the connection was closed. */
  readonly closed: boolean;
};

export class SeccompAgent {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly path: string;

  private constructor(path: string, process: ChildProcess, lines: Interface) {
    this.path = path;
    this.#process = process;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Listens at `path` when the promise resolves. */
  static async listen(path: string): Promise<SeccompAgent> {
    const program = fileURLToPath(new URL('seccomp-agent.py', import.meta.url));
    const child = spawn(findProgram('python3') ?? '', [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const agent = new SeccompAgent(path, child, createInterface(child.stdout));
    await agent.#lines.next();
    return agent;
  }

  /** The next connection. */
  async told(): Promise<Told> {
    const { value } = await this.#lines.next();
    return JSON.parse(String(value)) as Told;
  }

  async close(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }
}
