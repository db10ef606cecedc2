// A bus of its own, with a systemd on it that is none (fake-systemd.py), and runtimes that talk to it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { hasController, readCgroupLayout, type Controller } from '../../src/linux/cgroup/layout.ts';
import { containersUnusable, findProgram } from './busybox-bundle.ts';
import { bundleConfig, writeBundle, type BundleConfig } from './oci-bundle.ts';

const PYTHON = '/usr/bin/python3';
const FAKE = fileURLToPath(new URL('fake-systemd.py', import.meta.url));
const BERTH_OCI = fileURLToPath(new URL('../../bin/berth-oci', import.meta.url));
/** What systemd makes cgroups for on v1. */
const OF_SYSTEMD: readonly Controller[] = ['cpu', 'cpuacct', 'io', 'memory', 'devices', 'pids'];
/** runc asks by this directory whether systemd runs. */
const AS_IF_BOOTED = 'mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec "$@"';

export type Call = {
  readonly method: string;
  readonly unit: string;
  readonly properties: readonly (readonly [name: string, signature: string, value: unknown])[];
};

export type Outcome = { readonly code: number; readonly output: string };

export class SystemdScene {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'berth-test-systemd-'));
  /** systemd's name of a cgroup of ours. */
  readonly slice: string = `berthtest${process.pid}.slice`;
  readonly hierarchies: readonly string[];
  readonly #children: ChildProcess[] = [];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #log: string = join(this.directory, 'calls');

  constructor() {
    const address = `unix:path=${join(this.directory, 'bus')}`;
    this.#environment = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address };
    this.hierarchies = readCgroupLayout()
      .hierarchies.filter(
        (one) =>
          one.version === 2 ||
          one.controllers.includes('name=systemd') ||
          OF_SYSTEMD.some((controller) => hasController(one, controller)),
      )
      .map(({ mountPoint }) => mountPoint);
  }

  async open(): Promise<void> {
    const address = this.#environment['DBUS_SYSTEM_BUS_ADDRESS'] ?? '';
    await this.#serve('dbus-daemon', [
      '--session',
      '--nofork',
      '--nopidfile',
      '--print-address',
      `--address=${address}`,
    ]);
    await this.#serve(PYTHON, [FAKE, this.#log, ...this.hierarchies]);
  }

  async #serve(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(program, args, { env: this.#environment, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${program} ended`))),
    ]);
  }

  /** Make the bundle of a container in our slice. */
  bundle(id: string, script: string, change = (config: BundleConfig): object => config): string {
    const directory = join(this.directory, id);
    const config = change(bundleConfig(script, `${this.slice}:test:${id}`)) as BundleConfig;
    writeBundle(directory, config);
    return directory;
  }

  /** Run a runtime with --systemd-cgroup. */
  async call(runtime: 'berth' | 'runc', args: readonly string[]): Promise<Outcome> {
    const program = runtime === 'berth' ? BERTH_OCI : 'runc';
    const root = join(this.directory, `state-${runtime}`);
    mkdirSync(root, { recursive: true });
    const command = [program, '--root', root, '--systemd-cgroup', ...args];
    const output = join(this.directory, 'output');
    const quiet = ['-c', 'out=$1; shift; exec "$@" > "$out" 2>&1 < /dev/null', 'sh', output, ...command];
    const booted = ['-m', '--propagation', 'slave', 'sh', '-c', AS_IF_BOOTED, 'sh', 'sh', ...quiet];
    const [file, list] = runtime === 'berth' ? ['sh', quiet] : ['unshare', booted];
    const child = spawn(file, list, { env: this.#environment, stdio: ['ignore', 'inherit', 'pipe'] });
    const errors = text(child.stderr);
    const [code] = (await once(child, 'exit')) as [number];
    return { code, output: readFileSync(output, 'utf8') + (await errors) };
  }

  /** What systemd was asked about a unit. */
  calls(unit: string): readonly Call[] {
    const lines = readFileSync(this.#log, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Call).filter((call) => call.unit === unit);
  }

  /** The directories of a unit's cgroup that are there. */
  directoriesOf(unit: string): readonly string[] {
    return this.hierarchies.map((hierarchy) => `${hierarchy}/${this.slice}/${unit}`).filter((path) => existsSync(path));
  }

  async close(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      const gone = child.exitCode === null ? once(child, 'exit') : undefined;
      child.kill();
      await gone;
    }
    for (const { mountPoint } of readCgroupLayout().hierarchies) {
      const path = `${mountPoint}/${this.slice}`;
      if (existsSync(path)) rmdirSync(path);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Why there is no such scene here, or undefined when there can be. */
export function systemdUnusable(): string | undefined {
  const missing = ['dbus-daemon', 'runc'].find((program) => findProgram(program) === undefined);
  if (missing !== undefined) return `no ${missing} here`;
  if (!existsSync('/usr/lib/python3/dist-packages/dbus') || !existsSync('/usr/lib/python3/dist-packages/gi'))
    return 'no python3-dbus and python3-gi here';
  return containersUnusable();
}
