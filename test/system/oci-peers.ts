// berth-oci, runc and crun behind one interface: the same bundle, the same command line, what came out.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { openNullDevice } from '../../src/linux/null-device.ts';
import { findProgram } from './busybox-bundle.ts';
import { snapshot } from './leaks.ts';

export const PEERS = ['berth', 'runc', 'crun'] as const;
export type Peer = (typeof PEERS)[number];

export type Outcome = { readonly code: number; readonly output: string };

const BERTH_OCI = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));
const UNIFIED = '/sys/fs/cgroup/unified/cgroup.controllers';
const HOLD = `for _ in $(seq 100); do mount -t cgroup -o hugetlb none "$1" 2>/dev/null && break; sleep 0.1; done
echo ready; read _; umount "$1"`;

/** The runtimes with a state directory of their own each, and a cgroup that all containers are below. */
export class OciPeers {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'berth-test-oci-'));
  readonly cgroupParent: string = `/berth-test-${process.pid}`;
  readonly bundles: string = join(this.directory, 'bundles');
  #view: ChildProcess | undefined;
  #ready: Promise<unknown> | undefined;
  #calls = 0;

  constructor() {
    chmodSync(this.directory, 0o711); // root of a user namespace passes through it as somebody else
    mkdirSync(this.bundles);
    for (const peer of PEERS) mkdirSync(this.stateOf(peer));
  }

  stateOf(peer: Peer): string {
    return join(this.directory, `state-${peer}`);
  }

  /**
   * Run `peer` with a command line such as `['run', '--bundle', path, id]`, in `cwd`, to its end. Both streams go to a file:
   * a container that runs on holds them open.
   */
  async call(peer: Peer, args: readonly string[], cwd: string = this.directory): Promise<Outcome> {
    const child = await this.start(peer, args, cwd);
    const [code, signal] = (await once(child.process, 'exit')) as [number | null, string | null];
    if (code === null) throw new Error(`${peer} was ended by ${signal}`);
    return { code, output: readFileSync(child.outputFile, 'utf8') };
  }

  /** As `call`, without waiting. */
  async start(
    peer: Peer,
    args: readonly string[],
    cwd: string = this.directory,
  ): Promise<{ readonly process: ChildProcess; readonly outputFile: string }> {
    const [program, ...before] = [...(await this.#prefix(peer)), ...programOf(peer), '--root', this.stateOf(peer)];
    this.#calls += 1;
    const outputFile = join(this.directory, `output-${this.#calls}`);
    const fd = openSync(outputFile, 'w');
    // crun gives its standard input to root of the container's user namespace: the machine's own /dev/null must not be it.
    using input = openNullDevice();
    try {
      return {
        process: spawn(program ?? '', [...before, ...args], { stdio: [input.number, fd, fd], cwd }),
        outputFile,
      };
    } finally {
      closeSync(fd);
    }
  }

  /**
   * crun refuses a machine whose controllers are on cgroup v1 while cgroup2 has some too. In a mount namespace where
   * hugetlb is mounted as a v1 hierarchy, cgroup2 has none left, and it runs. Nothing else changes.
   */
  async #prefix(peer: Peer): Promise<readonly string[]> {
    if (peer !== 'crun' || !existsSync(UNIFIED)) return [];
    if (this.#view === undefined) {
      if (readFileSync(UNIFIED, 'utf8').trim() === '') return [];
      const mountPoint = join(this.directory, 'hugetlb');
      mkdirSync(mountPoint);
      const args = ['-m', '--propagation', 'private', 'sh', '-c', HOLD, 'sh', mountPoint];
      this.#view = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
      this.#ready = this.#view.stdout === null ? undefined : once(this.#view.stdout, 'data');
    }
    await this.#ready;
    return ['nsenter', `--mount=/proc/${this.#view.pid}/ns/mnt`];
  }

  async close(): Promise<void> {
    if (this.#view !== undefined) {
      const gone = once(this.#view, 'exit');
      this.#view.stdin?.end();
      await gone;
      rmdirSync(join(this.directory, 'hugetlb'));
    }
    // runc leaves the cgroups above a container's, also in hierarchies that berth does not use.
    const scope = { cgroupParent: this.cgroupParent, parts: ['cgroups'] } as const;
    for (const path of snapshot(scope).found.cgroups.toReversed()) rmdirSync(path);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function programOf(peer: Peer): readonly string[] {
  return peer === 'berth' ? [BERTH_OCI] : [findProgram(peer) ?? peer];
}
