// The end of a bridge network.
import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../linux/netlink/netlink-socket.ts';
import { bridgeAlias, removeBridge } from './bridge.ts';
import { networkFailure } from './ensure-network.ts';
import type { NetworkPlan } from './network.ts';
import { removePodNetwork } from './pod-network.ts';
import { removeTable } from './port-table.ts';
import { listPodRecords, readNetworkRecord } from './record.ts';

/**
 * Remove a network with all of its pods' places in it. It need not be there. What was switched on for the whole machine
 * (forwarding) stays on. Throws OciError NETWORK_FAILED.
 */
export async function removeNetwork(plan: NetworkPlan): Promise<void> {
  const { bridge, name, directory } = plan;
  for (const { podUid } of listPodRecords(directory)) await removePodNetwork({ podUid, network: plan });
  try {
    // A table is ours only where the bridge of its name is: another agent may have taken the name.
    if (readNetworkRecord(directory) !== undefined) removeTable(bridge);
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    removeBridge(socket, bridge, bridgeAlias(directory));
  } catch (error) {
    throw networkFailure(error, name);
  }
  rmSync(directory, { recursive: true, force: true });
  removeIfEmpty(dirname(directory));
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'ENOENT')) throw error;
  }
}
