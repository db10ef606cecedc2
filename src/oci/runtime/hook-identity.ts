// Whom a startContainer hook runs as: the user of the container's program, with its privileges, as runc has it.
import type { Operation } from '../../linux/tape/operation.ts';
import type { RuntimeConfig } from './config.ts';
import { privilegesOf } from './privileges.ts';
import { identityOperations } from './process-operations.ts';
import type { Runtime } from './runtime.ts';

export type HookIdentity = { readonly identity: readonly Operation[]; readonly bounding: bigint };

/** Operations that take on the identity, and the bounding set that they begin with. Without a process: the root of the container. */
export function startIdentity(runtime: Runtime, config: RuntimeConfig): HookIdentity {
  const { process } = config;
  if (process === undefined) return { identity: [], bounding: runtime.capabilities };
  const { facts, wanted } = privilegesOf(runtime, config, process);
  const unfiltered = { ...facts, seccompFilter: undefined, seccompFlags: 0 };
  return { identity: identityOperations({ ...process, cwd: '/' }, unfiltered), bounding: wanted };
}
