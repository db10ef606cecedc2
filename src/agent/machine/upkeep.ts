// Work that no step asks for: log files kept small, forgotten pods removed, and the network put right when somebody else has
// flushed its rules or deleted its bridge. Rare and cheap; a steady node writes nothing.
import type { Host } from '../../oci/host.ts';
import { ensureNetwork } from '../../oci/network/ensure-network.ts';
import { limitLog } from '../../oci/pod/logs.ts';
import { listSandboxes } from '../../oci/pod/sandbox.ts';
import { listStates } from '../../oci/runtime/state.ts';
import { removeForgottenPods } from './leftovers.ts';

const LOG_CHECK_MS = 30_000;
const NETWORK_CHECK_MS = 60_000;
const FORGOTTEN_AFTER_MS = 10 * 60_000;
const MAX_LOG_BYTES = 16 * 1024 * 1024;

export type UpkeepOptions = { readonly maxLogBytes?: number; readonly onError: (error: unknown) => void };

/** Begin the upkeep. Disposing ends it. Keeps no process alive. */
export function beginUpkeep(host: Host, { maxLogBytes = MAX_LOG_BYTES, onError }: UpkeepOptions): Disposable {
  const logs = setInterval(() => {
    limitLogs(host, maxLogBytes, onError);
  }, LOG_CHECK_MS);
  const network = setInterval(() => {
    if (listSandboxes(host).some(({ pinned }) => pinned !== undefined)) ensureNetwork(host.networkPlan).catch(onError);
  }, NETWORK_CHECK_MS);
  const forgotten = setTimeout(() => {
    removeForgottenPods(host).catch(onError);
  }, FORGOTTEN_AFTER_MS);
  for (const timer of [logs, network, forgotten]) timer.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(logs);
      clearInterval(network);
      clearTimeout(forgotten);
    },
  };
}

function limitLogs(host: Host, maxLogBytes: number, onError: (error: unknown) => void): void {
  for (const { record } of listStates(host.paths.state)) {
    try {
      if (record.logFile !== undefined) limitLog(record.logFile, maxLogBytes);
    } catch (error) {
      onError(error);
    }
  }
}
