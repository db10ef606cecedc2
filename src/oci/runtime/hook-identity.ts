// Whom a startContainer hook runs as: the user of the container's program, with its privileges, as runc has it.
import type { Operation } from '../../linux/tape/operation.ts';
import type { RuntimeConfig } from './config.ts';
import { hasUserNamespace } from './namespaces-of.ts';
import { allCapabilities } from '../../linux/capability.ts';
import { boundingSet, identityOperations } from './process-operations.ts';
import type { Runtime } from './runtime.ts';

export type HookIdentity = { readonly identity: readonly Operation[]; readonly bounding: bigint };

/** Operations that take on the identity, and the bounding set that they begin with. Without a process: the root of the container. */
export function startIdentity(runtime: Runtime, config: RuntimeConfig): HookIdentity {
  const { process } = config;
  if (process === undefined) return { identity: [], bounding: runtime.capabilities };
  const wanted = boundingSet(process);
  const user = hasUserNamespace(config);
  const facts = {
    seccompFilter: undefined,
    seccompFlags: 0,
    capabilities: user ? allCapabilities() : runtime.capabilities,
    bounding: user ? allCapabilities() : runtime.spawner.beginsWith(wanted),
  };
  return { identity: identityOperations({ ...process, cwd: '/' }, facts, []), bounding: wanted };
}
