// The tour's own berth: one directory, one agent, its own cgroups. Disposing it leaves nothing behind.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BERTH = fileURLToPath(new URL('../../bin/berth', import.meta.url));
const AGENT_STOP_MS = 10_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 15;
const LOG_LINES = 20;

/** What `berth ps -o json` says of a container, as far as the tour shows it. */
export type Row = { readonly id: string; readonly name: string; readonly pid: number; readonly status: string };

export class TourMachine implements AsyncDisposable {
  readonly home: string = mkdtempSync(join(tmpdir(), 'berth-quickstart-'));
  readonly source: string = join(this.home, 'source');
  readonly #cgroupParent: string = `/berth-quickstart-${process.pid}`;
  readonly #log: string = join(this.home, 'agent.log');
  #agent: ChildProcess | undefined;

  constructor() {
    mkdirSync(join(this.source, 'images'), { recursive: true });
  }

  get #options(): readonly string[] {
    return [
      '--root',
      join(this.home, 'root'),
      '--state',
      join(this.home, 'state'),
      '--cgroup-parent',
      this.#cgroupParent,
    ];
  }

  /** Start the agent in a session of its own, so that Ctrl-C reaches the tour first. Its log goes to a file. */
  startAgent(listen: string): void {
    const log = openSync(this.#log, 'a');
    const args = ['agent', '--source', this.source, '--listen', listen, ...this.#options];
    this.#agent = spawn(BERTH, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Run a command of berth and return what it prints. Rejects with what it complained of. */
  async berth(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(BERTH, [...args, ...this.#options])).stdout;
  }

  /** The containers that run, by name. */
  async containers(): Promise<Row[]> {
    const rows = JSON.parse(await this.berth('ps', '-o', 'json')) as Row[];
    return rows.filter(({ status }) => status === 'running').sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Ask again and again until `look` finds something. Rejects with the end of the agent's log when it never does. */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline && this.#agentRuns()) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      await sleep(POLL_MS);
    }
    const why = this.#agentRuns() ? `not within ${PATIENCE_MS / 1000} s` : 'the agent has ended';
    throw new Error(`Waited for ${what}: ${why}. The end of its log:\n${this.#logEnd()}`);
  }

  #agentRuns(): boolean {
    return this.#agent?.exitCode === null && this.#agent.signalCode === null;
  }

  #logEnd(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').slice(-LOG_LINES).join('\n') : '';
  }

  /** Stop the agent, then everything it started, then remove the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopAgent();
    try {
      await this.berth('reset', '--yes');
    } finally {
      removeCgroups(this.#cgroupParent);
      rmSync(this.home, { recursive: true, force: true });
    }
  }

  async #stopAgent(): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined || !this.#agentRuns()) return;
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill('SIGTERM');
    const timer = setTimeout(() => agent.kill('SIGKILL'), AGENT_STOP_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** The parent of the tour's cgroups, in every hierarchy: empty by now. */
function removeCgroups(parent: string): void {
  for (const [, root = ''] of readFileSync('/proc/self/mountinfo', 'utf8').matchAll(
    /^(?:\S+ ){4}(\S+) .* - cgroup2? /gm,
  )) {
    const directory = join(root, parent);
    if (existsSync(directory)) removeEmpty(directory);
  }
}

function removeEmpty(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(directory, entry.name));
  }
  rmdirSync(directory);
}

/** A TCP port of the loopback that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
