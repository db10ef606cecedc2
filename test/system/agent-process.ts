// An agent as people start it, `bin/berth agent`, with directories, cgroups and a network of its own; and what can be seen of
// it from outside. The end of the test takes everything down and looks for what was left behind.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

import { askAgent } from '../../src/agent/control-client.ts';
import type { ControlResult } from '../../src/agent/control-protocol.ts';
import { controlSocketPath } from '../../src/agent/places.ts';
import { listContainers, type ContainerView } from '../../src/cli/containers.ts';
import { openHost, type Host, type HostPaths } from '../../src/oci/host.ts';
import type { JournalEntry } from '../../src/reconcile/journal-entry.ts';
import { readJournal } from '../../src/reconcile/journal.ts';
import { busyboxImage, busyboxMissing, saveArchive } from '../tools/image.ts';
import { assertNoLeaksSince, snapshot } from './leaks.ts';

const BERTH = fileURLToPath(new URL('../../bin/berth', import.meta.url));
const PATIENCE_MS = 40_000;
const POLL_MS = 20;
const LOG_LINES = 12;

/** Why no agent can run here; undefined when one can. */
export function agentUnusable(): string | undefined {
  return process.getuid?.() === 0 ? busyboxMissing() : 'needs root';
}

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type WorkloadStatus = ControlResult<'status'>['workloads'][number];

export type AgentOptions = {
  /** Default: the scene's own directory. */
  readonly sources?: readonly string[];
  /** More arguments of `berth agent`. */
  readonly args?: readonly string[];
  /** A program and its arguments that run the agent's own command line, such as unshare(1). */
  readonly under?: readonly string[];
};

export class AgentScene {
  readonly home: string;
  /** A directory of manifests: the agent's source, unless told otherwise. */
  readonly source: string;
  readonly places: HostPaths;
  readonly host: Host;
  readonly #log: string;
  #agent: ChildProcess | undefined;
  #address = '';

  constructor(name: string) {
    this.home = mkdtempSync(join(tmpdir(), `berth-${name}-`));
    this.source = join(this.home, 'source');
    this.places = {
      root: join(this.home, 'root'),
      state: join(this.home, 'state'),
      cgroupParent: `/berth-test-${process.pid}-${basename(this.home)}`,
    };
    mkdirSync(this.source);
    this.host = openHost(this.places);
    // It only looks: what clears away belongs to the agent.
    void this.host.layers[Symbol.asyncDispose]();
    this.#log = join(this.home, 'agent.log');
  }

  /** The arguments that make a command work in this scene. */
  get options(): readonly string[] {
    const { root, state, cgroupParent } = this.places;
    return ['--root', root, '--state', state, '--cgroup-parent', cgroupParent];
  }

  /** Write a file of the source, in one step as an editor does. */
  write(path: string, content: string): void {
    const file = join(this.source, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(join(this.home, 'new'), content);
    renameSync(join(this.home, 'new'), file);
  }

  /** Start an agent and wait until it answers. Rejects with the end of its log when it does not. */
  async startAgent({ sources = [this.source], args = [], under = [] }: AgentOptions = {}): Promise<void> {
    const log = openSync(this.#log, 'a');
    const begin = this.log.length;
    const words = [...under, BERTH, 'agent', ...sources.flatMap((source) => ['--source', source])];
    const [program = BERTH, ...rest] = [...words, '--listen', '127.0.0.1:0', ...this.options, ...args];
    this.#agent = spawn(program, rest, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    await once(this.#agent, 'spawn');
    const line = await this.until('the agent to start', () =>
      this.agentRuns ? /^\{.*"agent started".*$/m.exec(this.log.slice(begin))?.[0] : '',
    );
    if (line === '') throw new Error(`The agent has ended at once:\n${this.log.slice(begin)}`);
    this.#address = (JSON.parse(line) as { listen: string }).listen;
  }

  get agentPid(): number {
    return this.#agent?.pid ?? 0;
  }

  get agentRuns(): boolean {
    return this.#agent !== undefined && this.#agent.exitCode === null && this.#agent.signalCode === null;
  }

  /** End the agent: SIGKILL is a crash, SIGTERM a farewell. Resolves with how it ended. */
  async endAgent(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string | null> {
    const agent = this.#agent;
    if (agent === undefined || !this.agentRuns) return null;
    const ended = once(agent, 'exit') as Promise<[number | null, string | null]>;
    agent.kill(signal);
    const [code, killedBy] = await ended;
    return code ?? killedBy;
  }

  /** Run a command of berth in this scene. Resolves with how it ended, whatever that is. */
  berth(command: string, ...args: readonly string[]): Promise<CommandResult> {
    return this.berthUnder([], command, ...args);
  }

  /** The same by a program that runs it, such as unshare(1). */
  berthUnder(under: readonly string[], command: string, ...args: readonly string[]): Promise<CommandResult> {
    const [program = BERTH, ...rest] = [...under, BERTH, command, ...this.options, ...args];
    const options = { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 1 << 26 };
    return new Promise((resolve) => {
      const child = execFile(program, rest, options, (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, stdout, stderr });
      });
    });
  }

  /** All containers as `berth ps -a` has them, oldest first. */
  containers(): ContainerView[] {
    return listContainers(this.host);
  }

  /** The one container of this name (`pod/container`), when there is exactly one. */
  container(name: string): ContainerView | undefined {
    const found = this.containers().filter(({ pod, container }) => `${pod}/${container}` === name);
    return found.length === 1 ? found[0] : undefined;
  }

  /** What the agent says of its workloads. Undefined: no agent answers. */
  async workloads(): Promise<readonly WorkloadStatus[] | undefined> {
    return (await this.status())?.workloads;
  }

  /** What the agent says of itself, as `berth get` shows it. Undefined: no agent answers. */
  async status(): Promise<ControlResult<'status'> | undefined> {
    return askAgent(controlSocketPath(this.places), { method: 'status' });
  }

  /** A condition of the workload `name`. Undefined when there is none. */
  async condition(name: string, type = 'Ready'): Promise<WorkloadStatus['conditions'][number] | undefined> {
    const found = (await this.workloads())?.find(({ workload }) => workload.name === name);
    return found?.conditions.find((condition) => condition.type === type);
  }

  /** Wait until these workloads run as declared in `revision` of the source (default: whatever it says now). */
  async ready(...names: readonly string[]): Promise<void> {
    await this.until(`${names.join(', ')} to be ready`, async () => {
      const conditions = await Promise.all(names.map((name) => this.condition(name)));
      return conditions.every((condition) => condition?.status === 'True') ? true : undefined;
    });
  }

  /** Wait until the agent has taken (or refused) a revision after `change`. */
  async afterRevision(change: () => Promise<void> | void): Promise<JournalEntry> {
    const before = (await this.revisions()).length;
    await change();
    return this.until('the new revision', async () => (await this.revisions())[before]);
  }

  /** Everything that the agents of this scene wrote down, oldest first. */
  journal(): Promise<JournalEntry[]> {
    return readJournal(join(this.places.root, 'journal'));
  }

  async revisions(): Promise<JournalEntry[]> {
    return (await this.journal()).filter(({ event }) => event === 'revisionAccepted' || event === 'revisionRefused');
  }

  /** GET from the agent's HTTP service, unless `request` says otherwise. */
  async http(path: string, request: RequestInit = {}): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://${this.#address}${path}`, request);
    return { status: response.status, text: await response.text() };
  }

  /** The whole log of all agents of the scene. */
  get log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
  }

  /** Ask again and again until `look` finds something. Rejects with the end of the agent's log when it never does. */
  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    let trouble: unknown;
    while (Date.now() < deadline) {
      try {
        const found = await look();
        if (found !== undefined) return found;
      } catch (error) {
        trouble = error;
      }
      await sleep(POLL_MS);
    }
    const lines = this.log.split('\n').slice(-LOG_LINES).join('\n');
    throw new Error(`Not within ${PATIENCE_MS / 1000} s: ${what}. The end of the agent's log:\n${lines}`, {
      cause: trouble,
    });
  }
}

/** A scene of its own for the test, with `localhost/busybox:1` in its source. Its end finds whatever was left behind. */
export function newAgentScene(t: ExecutionContext, name: string): AgentScene {
  const scene = new AgentScene(name);
  const { home, places } = scene;
  const parts = ['processes', 'mounts', 'cgroups'] as const;
  const before = snapshot({ directories: [home], cgroupParent: places.cgroupParent, parts });
  t.teardown(async () => {
    await scene.endAgent('SIGTERM');
    const { code, stderr } = await scene.berth('reset', '--yes', '--time', '1');
    const link = existsSync(`/sys/class/net/${scene.host.networkPlan.bridge}`);
    await assertNoLeaksSince(before);
    const pods = ['containers', 'pods'].flatMap((directory) => names(join(places.state, directory)));
    rmSync(home, { recursive: true });
    if (code !== 0 || link || pods.length > 0) {
      throw new Error(`berth reset ended with ${code}${link ? ', left its bridge' : ''}: ${pods.join(' ')} ${stderr}`);
    }
  });
  saveArchive(busyboxImage(), join(scene.source, 'images', 'busybox.oci.tar'));
  return scene;
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
