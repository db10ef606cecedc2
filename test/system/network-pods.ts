// The network and the pods of a scenario, in the directory that its process was given.
import { join } from 'node:path';

import { planNetwork, type Network, type NetworkOptions, type NetworkPlan } from '../../src/oci/network/network.ts';
import { createPodNetwork, type PodNetwork, type PodNetworkOptions } from '../../src/oci/network/pod-network.ts';
import type { PublishedPort } from '../../src/oci/network/published-port.ts';

export const directory: string = process.argv[3] ?? '';

/** The network of the scenario, with a difference. */
export function plan(more: Partial<NetworkOptions> = {}): NetworkPlan {
  return planNetwork({ stateDirectory: directory, bridge: 'bt0', ipv6: 'fd02::/64', ...more });
}

/** Give a pod its place. */
export function pod(network: Network, podUid: string, more: Partial<PodNetworkOptions> = {}): Promise<PodNetwork> {
  const runDirectory = join(directory, 'pods', podUid);
  return createPodNetwork({ podUid, network, runDirectory, hostname: podUid, ports: [], ...more });
}

/** A published port that leads to port 80. */
export function port(hostPort: number, more: Partial<PublishedPort> = {}): PublishedPort {
  return { hostPort, hostIP: undefined, containerPort: 80, protocol: 'TCP', ...more };
}

/** How work fails: code and message. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no failure';
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${String(error.code)}: ${error.message}` : String(error);
  }
}
