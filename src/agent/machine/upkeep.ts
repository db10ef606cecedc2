// Work that no step asks for: log files watched, forgotten pods removed, and the network put right when somebody else has
// flushed its rules or deleted its bridge. Rare and cheap; a steady node writes nothing.
import type { Host } from '../../oci/host.ts';
import { ensureNetwork } from '../../oci/network/ensure-network.ts';
import { listSandboxes } from '../../oci/pod/sandbox.ts';
import { removeForgottenPods } from './leftovers.ts';
import { LogWatch } from './log-watch.ts';

const NETWORK_CHECK_MS = 60_000;
const FORGOTTEN_AFTER_MS = 10 * 60_000;

export type UpkeepOptions = { readonly onError: (error: unknown) => void };

/** Begin the upkeep. Disposing ends it. Keeps no process alive. */
export function beginUpkeep(host: Host, { onError }: UpkeepOptions): Disposable {
  const logs = new LogWatch(host.paths, { onError });
  const network = setInterval(() => {
    if (listSandboxes(host).some(({ pinned }) => pinned !== undefined)) ensureNetwork(host.networkPlan).catch(onError);
  }, NETWORK_CHECK_MS);
  const forgotten = setTimeout(() => {
    removeForgottenPods(host).catch(onError);
  }, FORGOTTEN_AFTER_MS);
  for (const timer of [network, forgotten]) timer.unref();
  return {
    [Symbol.dispose]: () => {
      logs[Symbol.dispose]();
      clearInterval(network);
      clearTimeout(forgotten);
    },
  };
}
