// A port of the host serves one container only.
import { isIPv6 } from 'node:net';

import type { Path } from '../document.ts';
import type { ContainerPortManifest } from './container.ts';
import type { Complaint } from './manifest-object.ts';
import type { PodSpecManifest } from './pod.ts';

type HostPort = { readonly path: Path; readonly port: ContainerPortManifest };

/** Complaints about ports of the host that two containers of one pod ask for, or that cannot be had. */
export function* hostPortComplaints(spec: PodSpecManifest): Iterable<Complaint> {
  const taken: HostPort[] = [];
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
    const other = taken.find((known) => collide(known.port, port));
    if (other !== undefined) {
      const message = `The host port ${port.hostPort}/${port.protocol ?? 'TCP'} is already taken in this pod`;
      yield { path: [...path, 'hostPort'], message };
    }
    taken.push(entry);
  }
}

/** The path (from the pod's spec) of the first port on the host, or undefined. */
export function firstHostPort(spec: PodSpecManifest): Path | undefined {
  const found = [...declaredPorts(spec)].find(({ port }) => typeof port.hostPort === 'number');
  return found === undefined ? undefined : [...found.path, 'hostPort'];
}

function* declaredPorts(spec: PodSpecManifest): Iterable<HostPort> {
  for (const [container, { ports }] of spec.containers.entries()) {
    for (const [index, port] of (ports ?? []).entries()) {
      yield { path: ['containers', container, 'ports', index], port };
    }
  }
}

function collide(a: ContainerPortManifest, b: ContainerPortManifest): boolean {
  if (a.hostPort !== b.hostPort || (a.protocol ?? 'TCP') !== (b.protocol ?? 'TCP')) return false;
  return a.hostIP === b.hostIP || isAnyAddress(a.hostIP) || isAnyAddress(b.hostIP);
}

function isAnyAddress(address: string | null | undefined): boolean {
  if (address === undefined || address === null) return true;
  return address === '0.0.0.0' || (isIPv6(address) && /^[0:]+$/.test(address));
}
