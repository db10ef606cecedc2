// A place for the containers of one test file: own directories, own cgroups, and nothing left of them at its end.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openCgroup } from '../../src/linux/cgroup/cgroup.ts';
import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { shellExitCode } from '../../src/linux/siginfo.ts';
import { hostPlatform } from '../../src/oci/image/platform.ts';
import type { Process, RuntimeConfig } from '../../src/oci/runtime/config.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import { generateConfig, type ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import type { Lower } from '../../src/oci/runtime/overlay-operations.ts';
import { openRuntime, type Runtime } from '../../src/oci/runtime/runtime.ts';
import { containerIds, readState } from '../../src/oci/runtime/state.ts';
import { makeBusyboxRoot } from './busybox-bundle.ts';
import { assertNoLeaksSince, snapshot, type Snapshot } from './leaks.ts';

const MIB = 1024 * 1024;
const DEFAULTS: Omit<ContainerOptions, 'cgroupPath'> = {
  hostname: 'scene',
  home: '/root',
  command: ['true'],
  env: [],
  user: { uid: 0, gid: 0 },
  mounts: [],
  resources: {
    memory: { limit: 64 * MIB },
    pids: { limit: 100 },
    cpu: { quota: 50_000, period: 100_000, shares: 512 },
  },
  capabilitiesAdd: [],
  capabilitiesDrop: [],
  privileged: false,
  readonlyRootfs: false,
  noNewPrivileges: true,
  seccomp: 'default',
  terminal: false,
};

export type Ran = { readonly code: number | undefined; readonly output: string };

/** Containers of a busybox image: a layer below, a writable directory of each container on top. */
export class ContainerScene {
  readonly directory: string;
  readonly layer: string;
  readonly cgroupParent: string;
  readonly runtime: Runtime;
  readonly #before: Snapshot;
  #serial = 0;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'berth-test-'));
    this.layer = join(this.directory, 'layer');
    this.cgroupParent = `/berth-test-${process.pid}`;
    makeBusyboxRoot(this.layer);
    mkdirSync(this.stateDirectory);
    mkdirSync(join(this.stateDirectory, 'containers'));
    this.runtime = openRuntime({ stateDirectory: this.stateDirectory, cgroups: readCgroupLayout() });
    this.#before = snapshot({
      directories: [this.stateDirectory],
      cgroupParent: this.cgroupParent,
      parts: ['processes', 'mounts', 'cgroups', 'files'],
    });
  }

  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  /** An id that no other container has. */
  newId(): string {
    this.#serial += 1;
    return `c${this.#serial}`;
  }

  /** What generateConfig makes of `options` over small defaults. */
  config(id: string, options: Partial<ContainerOptions> = {}): RuntimeConfig {
    const image = { ...hostPlatform(), rootfs: { diff_ids: [] } };
    const cgroupPath = `${this.cgroupParent}/${id}`;
    return generateConfig(image, { ...DEFAULTS, cgroupPath, ...options }, this.runtime.machine);
  }

  /** A process of a container of the default kind. */
  process(id: string, args: readonly string[]): Process {
    return { ...(this.config(id).process as Process), args };
  }

  /** A request to run `options` on a fresh writable layer, with the log in a file. `layers` go on top of busybox. */
  request(
    id: string,
    options: Partial<ContainerOptions> = {},
    { layers = [], ...more }: Partial<CreateRequest> & { readonly layers?: readonly Lower[] } = {},
  ): CreateRequest {
    const base = join(this.directory, 'writable', id);
    const [upper, work] = [join(base, 'upper'), join(base, 'work')];
    for (const path of [upper, work]) mkdirSync(path, { recursive: true });
    return {
      id,
      config: this.config(id, options),
      rootfs: { kind: 'overlay', lowers: [...layers, this.layer], upper, work, base: this.directory },
      bundle: base,
      labels: {},
      stopSignal: 15,
      logFile: this.logFile(id),
      mode: 'run',
      ...more,
    };
  }

  /** Make `path` a layer without any file. */
  emptyLayer(path: string): void {
    mkdirSync(path, { recursive: true });
  }

  /** The processes of a container, by their numbers here. */
  processes(id: string): number[] {
    return openCgroup(this.runtime.cgroups, `${this.cgroupParent}/${id}`).procs();
  }

  logFile(id: string): string {
    return join(this.directory, `${id}.log`);
  }

  log(id: string): string {
    return readFileSync(this.logFile(id), 'utf8');
  }

  /** Run a container to its end and delete it. The code is as shells have it; undefined when nobody saw the end. */
  async run(request: CreateRequest): Promise<Ran> {
    const monitor = await createContainer(this.runtime, request);
    await monitor.ended;
    const exit = readState(this.stateDirectory, request.id)?.exit;
    await deleteContainer(this.runtime, request.id, { force: false });
    return { code: exit === undefined ? undefined : shellExitCode(exit), output: this.log(request.id) };
  }

  /** Run a shell script in a container of the default kind; its output. Throws when it fails. */
  async script(script: string, options: Partial<ContainerOptions> = {}): Promise<string> {
    const id = this.newId();
    const { code, output } = await this.run(this.request(id, { command: ['sh', '-c', script], ...options }));
    if (code !== 0) throw new Error(`The script ended with ${code}:\n${output}`);
    return output;
  }

  /** What a container has left: its state, its cgroups. */
  remains(id: string): readonly string[] {
    const state = readdirSync(join(this.stateDirectory, 'containers')).filter((name) => name === id);
    const { tasksFiles, bornIn } = openCgroup(this.runtime.cgroups, `${this.cgroupParent}/${id}`);
    return [...state, ...tasksFiles, ...(bornIn === undefined ? [] : [bornIn])];
  }

  /** Delete what tests left, by force; then nothing may be there that was not there before. */
  async close(): Promise<void> {
    for (const id of containerIds(this.stateDirectory)) await deleteContainer(this.runtime, id, { force: true });
    const scope = { cgroupParent: this.cgroupParent, parts: ['cgroups'] } as const;
    const kept = [this.cgroupParent, `${this.cgroupParent}/confined`];
    const left = snapshot(scope).found.cgroups.filter((path) => !kept.some((parent) => path.endsWith(parent)));
    await openCgroup(this.runtime.cgroups, this.cgroupParent).remove();
    try {
      assert.deepEqual(left, [], 'cgroups that are left');
      await assertNoLeaksSince(this.#before);
    } finally {
      rmSync(this.directory, { recursive: true, force: true });
    }
  }
}
