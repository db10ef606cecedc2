// A place for one engine: its own directories, its own cgroups, its own daemon, and nothing left of them at the end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { removeCgroups } from '../bench/cgroups.ts';
import { unmountBelow } from '../bench/peers/mounts.ts';

const PATIENCE_MS = 20_000;

/** Disposed of in the opposite order of what was deferred; the directory last. */
export class EngineScene implements AsyncDisposable {
  /** Not in TMPDIR, which may be far down: podman takes no --runroot of more than 50 characters. */
  readonly directory: string = mkdtempSync('/tmp/berth-engine-');
  readonly cgroupParent: string = `/berth-test-${process.pid}`;
  readonly #cleanup = new AsyncDisposableStack();

  constructor() {
    this.#cleanup.defer(() => rmSync(this.directory, { recursive: true, force: true }));
    this.#cleanup.defer(() => removeCgroups(this.cgroupParent));
    this.#cleanup.defer(() => unmountBelow(this.directory));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** At the end, before everything that was there earlier. */
  defer(end: () => Promise<unknown>): void {
    this.#cleanup.defer(async () => void (await end()));
  }

  /** Start a daemon and wait until it answers. Rejects with the end of its log. */
  async daemon(argv: readonly string[], answers: () => Promise<boolean>): Promise<void> {
    const [program = '', ...args] = argv;
    const log = this.path('daemon.log');
    const fd = openSync(log, 'a');
    const child = spawn(program, args, { detached: true, stdio: ['ignore', fd, fd] });
    closeSync(fd);
    const ended = once(child, 'exit');
    this.defer(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    const deadline = Date.now() + PATIENCE_MS;
    while (child.exitCode === null && Date.now() < deadline) {
      if (await answers()) return;
      await sleep(100);
    }
    throw new Error(`${program} does not answer:\n${readFileSync(log, 'utf8').split('\n').slice(-10).join('\n')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
