// One machine's containers and images: the places on disk and what works on them, opened together. The agent, `berth run` and
// every other command open their own; locks on disk keep them apart (design: several processes at once).
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';

import { readCgroupLayout } from '../linux/cgroup/layout.ts';
import { openContentStore, type ContentStore } from './image/content-store.ts';
import type { Image } from './image/image.ts';
import { type DirectoryLayerStore, openLayerStore } from './image/layer-store.ts';
import type { UnpackMode } from './image/unpack-mode.ts';
import { planNetwork, type Network, type NetworkPlan } from './network/network.ts';
import { readUserFiles } from './pod/user-files.ts';
import { openRuntime, type Runtime } from './runtime/runtime.ts';
import type { UserFiles } from './runtime/user.ts';
import type { PhaseListener } from './start-phase.ts';

const DEFAULT_STATE = '/run/berth';

export type HostPaths = {
  /** `--root`: images, layers, writable layers, logs. Durable. */
  readonly root: string;
  /** `--state`: containers and pods that run. Gone at reboot. */
  readonly state: string;
  /** `--cgroup-parent`: every container's cgroup is below it. */
  readonly cgroupParent: string;
};

export type HostOptions = {
  /** How layers are kept; `auto` by default. */
  readonly unpack?: UnpackMode | undefined;
  readonly onPhase?: PhaseListener;
};

export type Host = {
  readonly paths: HostPaths;
  readonly content: ContentStore;
  readonly layers: DirectoryLayerStore;
  readonly runtime: Runtime;
  readonly networkPlan: NetworkPlan;
  /** The bridge network, made on first use. Rejects with OciError NETWORK_FAILED and the like. */
  readonly network: () => Promise<Network>;
  /** Users and groups of an image, read once. */
  readonly userFiles: (image: Image) => UserFiles;
};

/** Open (and on first use make) the directories, 0700 (SEC-14). Throws what making them throws. */
export function openHost(paths: HostPaths, { unpack, onPhase = () => undefined }: HostOptions = {}): Host {
  for (const directory of [paths.root, paths.state]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const layers = openLayerStore(paths.root, { unpack });
  const networkPlan = planNetwork({ stateDirectory: paths.state, bridge: bridgeName(paths.state) });
  return {
    paths,
    content: openContentStore(paths.root),
    layers,
    runtime: openRuntime({ stateDirectory: paths.state, cgroups: readCgroupLayout(), onPhase }),
    networkPlan,
    network: networkOnUse(networkPlan),
    userFiles: cachedUserFiles(layers),
  };
}

/** `berth0` for the usual state directory; another one has a bridge of its own, so that agents can run side by side. */
function bridgeName(state: string): string {
  return state === DEFAULT_STATE ? 'berth0' : `berth-${createHash('sha256').update(state).digest('hex').slice(0, 8)}`;
}

/** Loaded where it is used, like everything about networks: a command without one is to start fast. */
async function bringUp(plan: NetworkPlan): Promise<Network> {
  const { ensureNetwork } = await import('./network/ensure-network.ts');
  return ensureNetwork(plan);
}

/** Made on first use, and again when somebody has deleted the bridge since. */
function networkOnUse(plan: NetworkPlan): () => Promise<Network> {
  let made: Promise<Network> | undefined;
  return () => {
    if (made === undefined || !existsSync(`/sys/class/net/${plan.bridge}`)) made = bringUp(plan);
    return made;
  };
}

function cachedUserFiles(layers: DirectoryLayerStore): (image: Image) => UserFiles {
  const known = new Map<string, UserFiles>();
  return (image) => {
    const files =
      known.get(image.configDigest) ??
      readUserFiles(image.layers.map(({ diffID }) => layers.directory(diffID)).toReversed());
    known.set(image.configDigest, files);
    return files;
  };
}
