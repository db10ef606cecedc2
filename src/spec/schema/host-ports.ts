// A port of the host serves one container only.
import { isIPv6 } from 'node:net';

import type { Path } from '../document.ts';
import type { ContainerPortManifest } from './container.ts';
import type { Complaint } from './manifest-object.ts';
import { containersOf } from './containers-of.ts';
import type { PodSpecManifest } from './pod.ts';

type HostPort = { readonly path: Path; readonly port: ContainerPortManifest };

/** Complaints about ports of the host that two containers of one pod ask for, or that cannot be had. */
export function* hostPortComplaints(spec: PodSpecManifest): Iterable<Complaint> {
  const taken = new Map<string, Set<string>>();
  for (const entry of declaredPorts(spec)) {
    const { path, port } = entry;
    if (port.hostPort === undefined || port.hostPort === null) {
      if (typeof port.hostIP !== 'string') continue;
      yield { path: [...path, 'hostIP'], message: "hostIP has no effect without 'hostPort'", part: 'key' };
      continue;
    }
    if (spec.hostNetwork === true && port.hostPort !== port.containerPort) {
      const message = `With hostNetwork the host's port is the container's: expected ${port.containerPort}`;
      yield { path: [...path, 'hostPort'], message };
    }
    const name = `${port.hostPort}/${port.protocol ?? 'TCP'}`;
    if (isTaken(taken.get(name), port)) {
      yield { path: [...path, 'hostPort'], message: `The host port ${name} is already taken in this pod` };
    }
    taken.set(name, (taken.get(name) ?? new Set()).add(address(port)));
  }
}

/** The path (from the pod's spec) of the first port on the host, or undefined. */
export function firstHostPort(spec: PodSpecManifest): Path | undefined {
  const found = [...declaredPorts(spec)].find(({ port }) => typeof port.hostPort === 'number');
  return found === undefined ? undefined : [...found.path, 'hostPort'];
}

function* declaredPorts(spec: PodSpecManifest): Iterable<HostPort> {
  for (const { entry, path } of containersOf(spec)) {
    for (const [index, port] of (entry.ports ?? []).entries()) yield { path: [...path, 'ports', index], port };
  }
}

const ANY_ADDRESS = 'any';

/** `addresses`: those on which the port is taken. A port on any address collides with all others. */
function isTaken(addresses: ReadonlySet<string> | undefined, port: ContainerPortManifest): boolean {
  if (addresses === undefined) return false;
  return address(port) === ANY_ADDRESS || addresses.has(ANY_ADDRESS) || addresses.has(address(port));
}

function address({ hostIP }: ContainerPortManifest): string {
  if (hostIP === undefined || hostIP === null || hostIP === '0.0.0.0') return ANY_ADDRESS;
  return isIPv6(hostIP) && /^[0:]+$/.test(hostIP) ? ANY_ADDRESS : hostIP;
}
