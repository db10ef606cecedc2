// A pod's sandbox: what its containers share. A network and an IPC namespace (pinned, no process holds them), an address, the
// files /etc/hosts, /etc/hostname and /etc/resolv.conf, and a record. No pause process.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { bootId } from '../../linux/boot-id.ts';
import { directoryNames } from '../../linux/directory-names.ts';
import { isErrno } from '../../linux/errno.ts';
import type { Host } from '../host.ts';
import { gatewayAddress } from '../network/network.ts';
import { podFilePaths, writePodFiles, type PodFiles } from '../network/pod-files.ts';
import type { HostAlias } from '../network/hosts-file.ts';
import type { PodDns } from '../network/resolv-conf.ts';
import type { PublishedPort } from '../network/published-port.ts';
import { measurePhase } from '../start-phase.ts';
import { removeMemory } from './memory-directory.ts';
import type { PodOwner } from './owner.ts';
import { podPaths } from './pod-paths.ts';

const RECORD = 'pod.json';
/** statfs(2): NSFS_MAGIC of <linux/magic.h>. */
const NSFS_MAGIC = 0x6e736673;

export type NetworkMode = 'bridge' | 'host' | 'none';

export type SandboxSpec = {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: PodOwner;
  readonly workload: string;
  /** Content hash of what needs a new sandbox. */
  readonly hash: string;
  readonly graceSeconds: number;
  readonly hostname: string;
  readonly network: NetworkMode;
  readonly ports: readonly PublishedPort[];
  /** The machine's PID namespace instead of one a container. */
  readonly hostPid?: boolean;
  /** The machine's IPC namespace instead of the pod's. */
  readonly hostIpc?: boolean;
  /** More lines of /etc/hosts. */
  readonly aliases?: readonly HostAlias[];
  readonly dns?: PodDns;
  /** Kernel parameters of the pod's own namespaces. */
  readonly sysctls?: Readonly<Record<string, string>>;
};

export type Sandbox = SandboxSpec & {
  readonly bootId: string;
  /** False from the first sign of it on disk until all of it is there: what a crash leaves in between is known for what it is. */
  readonly made: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly files: PodFiles;
  /** Namespaces that its containers join, and its address. Undefined with the host's network and with none. */
  readonly pinned: PinnedNetwork | undefined;
};

export type PinnedNetwork = {
  readonly netnsPath: string;
  readonly ipcnsPath: string;
  readonly ipv4: string;
  readonly ipv6: string | undefined;
  readonly gateway: string;
};

/** Make the sandbox of a pod, or return the one that is there. Rejects with an OciError; nothing is left then. */
export async function createSandbox(host: Host, spec: SandboxSpec): Promise<Sandbox> {
  const existing = readSandbox(host, spec.uid);
  if (existing !== undefined && isReady(existing)) return existing;
  const paths = podPaths(host.paths, spec.uid);
  if (existsSync(paths.run)) await removeSandbox(host, spec.uid);
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  try {
    const files = podFilePaths(paths.run);
    const begun: Sandbox = { ...spec, bootId: bootId(), made: false, createdAt: Date.now(), files, pinned: undefined };
    writeSandbox(paths.run, begun);
    // After the record: whatever is durable is known to be somebody's.
    mkdirSync(paths.durable, { recursive: true, mode: 0o700 });
    const sandbox: Sandbox = { ...begun, ...(await makeNetwork(host, spec, paths.run)), made: true };
    writeSandbox(paths.run, sandbox);
    return sandbox;
  } catch (error) {
    await removeSandbox(host, spec.uid);
    throw error;
  }
}

/** Whole or not at all: whoever reads it meanwhile sees the one before. */
function writeSandbox(runDirectory: string, sandbox: Sandbox): void {
  const file = join(runDirectory, RECORD);
  writeFileSync(`${file}.new`, JSON.stringify(sandbox), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function makeNetwork(
  host: Host,
  { uid, network: mode, hostname, ports, aliases = [], dns, sysctls = {} }: SandboxSpec,
  runDirectory: string,
): Promise<Pick<Sandbox, 'files' | 'pinned'>> {
  if (mode !== 'bridge')
    return { files: writePodFiles({ runDirectory, hostname, addresses: undefined, aliases, dns }), pinned: undefined };
  using _phase = measurePhase('net', host.runtime.onPhase);
  const { createPodNetwork } = await import('../network/pod-network.ts');
  const network = await host.network();
  const { files, ...pinned } = await createPodNetwork({
    podUid: uid,
    network,
    runDirectory,
    hostname,
    ports,
    aliases,
    dns,
    sysctls,
  });
  return { files, pinned: { ...pinned, gateway: gatewayAddress(network.ipv4) } };
}

/** The record of a sandbox, also of one from before a reboot. Undefined when there is none. */
export function readSandbox(host: Host, uid: string): Sandbox | undefined {
  try {
    return JSON.parse(readFileSync(join(podPaths(host.paths, uid).run, RECORD), 'utf8')) as Sandbox;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether containers can start in it: it is whole, of this boot, and has its namespaces still. */
export function isReady({ made, bootId: madeIn, pinned }: Sandbox): boolean {
  return made && madeIn === bootId() && (pinned === undefined || isPinned(pinned.netnsPath));
}

/** Whether a namespace is mounted there: the file alone stays when somebody, or a removal that was cut short, unmounts it. */
function isPinned(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Every sandbox, in the order of creation. */
export function listSandboxes(host: Host): Sandbox[] {
  return sandboxUids(host)
    .flatMap((uid) => readSandbox(host, uid) ?? [])
    .sort((a, b) => a.createdAt - b.createdAt);
}

/** The uids that have a directory, whole or not. */
export function sandboxUids(host: Host): string[] {
  return directoryNames(join(host.paths.state, 'pods'));
}

/** The record is written before the network is made. Without one anything may be there. */
function mayHaveNetwork(sandbox: Sandbox | undefined): boolean {
  return sandbox === undefined || sandbox.network === 'bridge';
}

/** Take a sandbox down: network, pins, record, then everything durable of the pod, logs included. Idempotent. */
export async function removeSandbox(host: Host, uid: string): Promise<void> {
  const paths = podPaths(host.paths, uid);
  if (mayHaveNetwork(readSandbox(host, uid))) {
    const { removePodNetwork } = await import('../network/pod-network.ts');
    await removePodNetwork({ podUid: uid, network: host.networkPlan });
  }
  await rm(paths.durable, { recursive: true, force: true });
  await removeMemory(host.paths, uid);
  // A handful of small files in memory: at once, where `rm` would take a thread for each.
  rmSync(paths.run, { recursive: true, force: true });
}
