// Start one container of a pod: image layers and a fresh writable layer, config.json from image and options, then the runtime.
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { Host } from '../host.ts';
import type { Image } from '../image/image.ts';
import { prepareUpper, type SnapshotLayer, snapshotLayers } from '../image/snapshot.ts';
import type { PodFiles } from '../network/pod-files.ts';
import type { Mount } from '../runtime/config.ts';
import { createContainer, type CreateRequest, type StartedMonitor } from '../runtime/create.ts';
import { generateConfig, stopSignal, type ContainerOptions } from '../runtime/generate-config.ts';
import type { Lower } from '../runtime/overlay-operations.ts';
import type { Rootfs } from '../runtime/rootfs-operations.ts';
import { lookUpUser, parseId, type LookedUpUser } from '../runtime/user.ts';
import { OciError } from '../error.ts';
import { containerCgroup } from './cgroup-path.ts';
import { identityLabels, type ContainerIdentity } from './labels.ts';
import { removeOldLogs } from './logs.ts';
import { logFile, podPaths, writableLayer } from './pod-paths.ts';
import type { Sandbox } from './sandbox.ts';

/** What a caller says of a container; where it runs follows from the sandbox. */
export type PodContainer = Omit<
  ContainerOptions,
  'hostname' | 'home' | 'user' | 'network' | 'ipc' | 'pid' | 'sysctl' | 'cgroupPath'
> & {
  readonly name: string;
  /** What it is in its pod; `main` by default. */
  readonly role?: ContainerIdentity['role'];
  readonly image: Image;
  readonly hash: string;
  readonly restarts: number;
  readonly crashes: number;
  /** `user[:group]`; undefined: the image's. */
  readonly userSpec: string | undefined;
  /** Numbers that win over what `userSpec` says. */
  readonly runAsGroup?: number | undefined;
  readonly runAsNonRoot: boolean;
  readonly supplementalGroups: readonly number[];
  /** Undefined: a log file of the pod. `inherit`: the caller's own streams. With a terminal neither. */
  readonly streams?: 'inherit' | undefined;
  /** More labels of its record, for whoever starts it. */
  readonly labels?: Readonly<Record<string, string>>;
};

/** A container that runs: its id, and the monitor that tells of its end and has its terminal. */
export type StartedContainer = { readonly id: string; readonly monitor: StartedMonitor };

/** Create and start. Rejects with an OciError; nothing is left then. */
export async function startPodContainer(
  host: Host,
  sandbox: Sandbox,
  container: PodContainer,
): Promise<StartedContainer> {
  const id = randomBytes(16).toString('hex');
  const layer = writableLayer(podPaths(host.paths, sandbox.uid), id);
  const request = containerRequest(host, sandbox, { ...container, id });
  mkdirSync(layer.work, { recursive: true, mode: 0o700 });
  mkdirSync(layer.upper, { mode: 0o755 });
  prepareUpper(layer.upper, layersOf(host, container.image));
  if (request.logFile !== undefined) mkdirSync(dirname(request.logFile), { recursive: true, mode: 0o700 });
  removeOldLogs(podPaths(host.paths, sandbox.uid), container.name, container.restarts);
  try {
    return { id, monitor: await createContainer(host.runtime, request) };
  } catch (error) {
    await rm(layer.directory, { recursive: true, force: true });
    throw error;
  }
}

/** What `startPodContainer` hands to the runtime. Reads the image's user files, changes nothing. */
export function containerRequest(
  host: Host,
  sandbox: Sandbox,
  container: PodContainer & { readonly id: string },
): CreateRequest {
  const paths = podPaths(host.paths, sandbox.uid);
  const lowers = lowersOf(host, container.image);
  const user = lookUp(host, container);
  const layer = writableLayer(paths, container.id);
  const hasLog = container.streams === undefined && !container.terminal;
  const config = generateConfig(
    container.image.config,
    {
      ...container,
      home: user.home,
      hostname: sandbox.hostname,
      user: { ...user.user, additionalGids: groupsOf(user, container) },
      mounts: [...etcMounts(sandbox.files), ...container.mounts],
      network: sandbox.network === 'host' ? 'host' : sandbox.pinned?.netnsPath,
      ipc: sandbox.hostIpc === true ? 'host' : sandbox.pinned?.ipcnsPath,
      pid: sandbox.hostPid === true ? 'host' : undefined,
      sysctl: sandbox.pinned === undefined ? sandbox.sysctls : undefined,
      cgroupPath: containerCgroup(host.paths, container),
    },
    host.runtime.machine,
  );
  const rootfs: Rootfs = {
    kind: 'overlay',
    lowers,
    upper: layer.upper,
    work: layer.work,
    base: join(host.paths.root, 'layers'),
  };
  return {
    id: container.id,
    config,
    rootfs,
    bundle: layer.directory,
    labels: { ...container.labels, ...identityLabels(identity(sandbox, container)) },
    stopSignal: stopSignal(container.image.config),
    logFile: hasLog ? logFile(paths, container.name, container.restarts) : undefined,
    mode: 'run',
  };
}

/** The layers of an image as overlay wants them: uppermost first. Throws OciError LAYER_MISSING. */
export function lowersOf(host: Host, image: Image): Lower[] {
  return layersOf(host, image).map(({ directory, image: file }) =>
    file === undefined ? directory : { directory, ...file },
  );
}

function layersOf(host: Host, image: Image): SnapshotLayer[] {
  return snapshotLayers(
    host.layers,
    image.layers.map(({ diffID }) => diffID),
  );
}

function lookUp(host: Host, { image, userSpec, runAsGroup, runAsNonRoot, name }: PodContainer): LookedUpUser {
  const spec = userSpec ?? image.config.config?.User ?? '';
  const found = lookUpUser(spec, host.userFiles(image));
  const user = { ...found.user, gid: runAsGroup ?? found.user.gid };
  if (runAsNonRoot && user.uid === 0) {
    const how = parseId(spec) === undefined && spec !== '' ? `user '${spec}' is root` : 'the image runs as root';
    throw new OciError(
      'CONFIG_INVALID',
      `Cannot start container '${name}': runAsNonRoot is set, and ${how}; set runAsUser`,
    );
  }
  return { ...found, user };
}

function groupsOf({ user }: LookedUpUser, { supplementalGroups }: PodContainer): number[] {
  return [...new Set([...(user.additionalGids ?? []), ...supplementalGroups])];
}

function etcMounts({ hosts, hostname, resolvConf }: PodFiles): Mount[] {
  return [hosts, hostname, resolvConf].map((source) => ({
    destination: `/etc/${basename(source)}`,
    type: 'bind',
    source,
    options: ['bind', 'rprivate'],
  }));
}

function identity(sandbox: Sandbox, container: PodContainer): ContainerIdentity {
  return {
    namespace: sandbox.namespace,
    pod: sandbox.name,
    podUid: sandbox.uid,
    container: container.name,
    role: container.role ?? 'main',
    owner: sandbox.owner,
    workload: sandbox.workload,
    hash: container.hash,
    image: container.image.reference,
    imageDigest: container.image.digest,
    restarts: container.restarts,
    crashes: container.crashes,
  };
}
