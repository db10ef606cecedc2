// One machine's containers and images: the places on disk and what works on them, opened together. The agent, `berth run` and
// every other command open their own; locks on disk keep them apart (design: several processes at once).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { readCgroupLayout } from '../linux/cgroup/layout.ts';
import { openContentStore, type ContentStore } from './image/content-store.ts';
import type { LayerStore } from './image/layer-sink.ts';
import { openLayerStore } from './image/layer-store.ts';
import { openRuntime, type Runtime } from './runtime/runtime.ts';

export type HostPaths = {
  /** `--root`: images, layers, writable layers, logs. Durable. */
  readonly root: string;
  /** `--state`: containers and pods that run. Gone at reboot. */
  readonly state: string;
  /** `--cgroup-parent`: every container's cgroup is below it. */
  readonly cgroupParent: string;
};

export type Host = {
  readonly paths: HostPaths;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly runtime: Runtime;
};

/** Open (and on first use make) the directories, 0700 (SEC-14). Throws what making them throws. */
export function openHost(paths: HostPaths): Host {
  for (const directory of [paths.root, paths.state]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    paths,
    content: openContentStore(paths.root),
    layers: openLayerStore(join(paths.root)),
    runtime: openRuntime({ stateDirectory: paths.state, cgroups: readCgroupLayout() }),
  };
}
