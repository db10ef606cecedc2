// What a process has before it gives up what it must: in the runtime's user namespace what the runtime has itself, in one of its
// own everything, whatever the runtime has (user_namespaces(7), "Capabilities").
import { allCapabilities } from '../../linux/capability.ts';
import type { Process, RuntimeConfig } from './config.ts';
import { hasUserNamespace } from './namespaces-of.ts';
import { boundingSet } from './process-operations.ts';
import type { Runtime } from './runtime.ts';

export type Privileges = {
  /** What there is to give, and the bounding set that the process begins with. Masks, for ProcessFacts. */
  readonly facts: { readonly capabilities: bigint; readonly bounding: bigint };
  /** What the tape's process is spawned with: see spawner.ts. */
  readonly wanted: bigint;
};

/** The privileges that `process` begins with in a container of this configuration. Throws what reading /proc throws. */
export function privilegesOf(runtime: Runtime, config: RuntimeConfig, process: Process | undefined): Privileges {
  if (hasUserNamespace(config)) {
    const all = allCapabilities();
    return { facts: { capabilities: all, bounding: all }, wanted: runtime.capabilities };
  }
  const wanted = boundingSet(process);
  return { facts: { capabilities: runtime.capabilities, bounding: runtime.spawner.beginsWith(wanted) }, wanted };
}
