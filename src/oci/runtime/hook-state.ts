// What a hook reads from its standard input: the state of runtime.md, "State".
import { readFileSync } from 'node:fs';

import type { RuntimeConfig } from './config.ts';

export type HookStatus = 'creating' | 'created' | 'running' | 'stopped';

/** The container that hooks are run for. */
export type HookSubject = {
  readonly id: string;
  readonly bundle: string;
  readonly config: RuntimeConfig;
  /** In the runtime's pid namespace; 0 when there is none any more. */
  readonly pid: number;
};

/** The state as JSON. Without a process there is no pid. */
export function hookState({ id, bundle, config, pid }: HookSubject, status: HookStatus): string {
  const { ociVersion, annotations } = config;
  return JSON.stringify({
    ociVersion,
    id,
    status,
    ...(pid === 0 ? {} : { pid }),
    bundle,
    ...(annotations === undefined ? {} : { annotations }),
  });
}

/** The number that a process has in its own pid namespace: the one a hook inside knows it by. Throws what reading /proc throws. */
export function pidInside(pid: number): number {
  const numbers = /^NSpid:\s*(.+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]?.split(/\s+/) ?? [];
  return Number(numbers.at(-1) ?? pid);
}
