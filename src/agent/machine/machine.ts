// The reconciler's hands and eyes on this machine: effects, observer and images over src/oci, and a word when a container ends.
import type { Host } from '../../oci/host.ts';
import { OciError } from '../../oci/error.ts';
import { identityOf, type ContainerIdentity } from '../../oci/pod/labels.ts';
import { removePodContainer } from '../../oci/pod/remove.ts';
import { createSandbox, listSandboxes, removeSandbox, type SandboxSpec } from '../../oci/pod/sandbox.ts';
import { startPodContainer } from '../../oci/pod/start-container.ts';
import { stopContainer } from '../../oci/runtime/signal-container.ts';
import { listStates, readState } from '../../oci/runtime/state.ts';
import { waitContainer } from '../../oci/runtime/wait.ts';
import type { DesiredPod, Effects, Images, Observer, WorkloadId } from '../../reconcile/effects.ts';
import { ensureImage, imageByDigest, openImages, type PullSettings } from './images.ts';
import { removeHalfMade } from './leftovers.ts';
import { HealthBoard, type HealthListener } from '../probe/health-board.ts';
import { healthLabels } from '../probe/health-label.ts';
import { runPostStart, runPreStop } from './container-hooks.ts';
import { writeRunRecord } from '../../reconcile/run-files.ts';
import { openObserver, runDirectory, workloadOf } from './observer.ts';
import { podContainer } from './pod-container.ts';
import { writePodVolumes } from './volume/pod-volumes.ts';

export type MachineOptions = {
  readonly pulls: PullSettings;
  /** A container of this workload ended: look again. */
  readonly onExit: (workload: WorkloadId) => void;
  readonly health: HealthListener;
  /** preStop could not be run to its end: the container is stopped all the same. */
  readonly onHookFailed: (identity: ContainerIdentity, error: unknown) => void;
  /** What went wrong while watching, which no step reports. */
  readonly onError: (error: unknown) => void;
};

export type Machine = {
  readonly effects: Effects;
  readonly observer: Observer;
  readonly images: Images;
  /** What probes say. */
  readonly health: Pick<HealthBoard, 'health' | 'all'>;
  /** Clear away what a crash left half made, and watch the containers that run already. Call once, before the first look. */
  readonly adopt: () => Promise<void>;
  /** Stop watching. */
  readonly close: () => void;
};

/** The machine behind `host`. */
export function openMachine(host: Host, options: MachineOptions): Machine {
  const closing = new AbortController();
  const board = new HealthBoard(host, options.health);
  const watch = (id: string): void => {
    watchContainer(host, id, { ...options, board, signal: closing.signal });
  };
  return {
    effects: effectsOver(host, options, watch),
    observer: openObserver(host, (id) => board.health(id)),
    images: openImages(host, options.pulls),
    health: board,
    adopt: async () => {
      await removeHalfMade(host);
      if (listSandboxes(host).some(({ pinned }) => pinned !== undefined)) await host.network();
      for (const { record, status } of listStates(host.paths.state)) if (status !== 'stopped') watch(record.id);
    },
    close: () => {
      closing.abort();
      board[Symbol.dispose]();
    },
  };
}

function effectsOver(host: Host, options: MachineOptions, watch: (id: string) => void): Effects {
  const { pulls, onHookFailed } = options;
  return {
    pullImage: ({ image }, signal) => ensureImage(host, image, { settings: pulls, signal }),
    createSandbox: async ({ pod }) => {
      await createSandbox(host, sandboxSpec(pod));
    },
    updateVolumes: ({ pod }) => Promise.try(() => writePodVolumes(host, pod)),
    startContainer: async ({ pod, container, history }, signal) => {
      const sandbox = await createSandbox(host, sandboxSpec(pod));
      const image = imageByDigest(host, container.image.digest);
      if (image === undefined)
        throw new OciError('IMAGE_MISSING', `Image ${container.image.reference} is not in the store any more`);
      const { id } = await startPodContainer(host, sandbox, {
        ...podContainer(host, sandbox, image, { pod, container, history }),
        labels: healthLabels(container.spec.health),
      });
      watch(id);
      await runPostStart(host, id, signal);
    },
    stopContainer: async ({ container, graceSeconds }, signal) => {
      if (readState(host.paths.state, container.id) === undefined) return;
      const graceMs = await runPreStop(host, container.id, { graceMs: graceSeconds * 1000, signal, onHookFailed });
      await stopContainer(host.runtime, container.id, { graceMs, signal });
    },
    removeContainer: ({ container }) => removePodContainer(host, container.id, { force: false }),
    recordRun: ({ workload, record }) => writeRunRecord(runDirectory(host), workload, record),
    removeSandbox: ({ pod }) => removeSandbox(host, pod.uid),
  };
}

function sandboxSpec(pod: DesiredPod): SandboxSpec {
  const { spec, workload } = pod;
  const published = spec.hostNetwork ? [] : spec.containers.flatMap(({ ports }) => ports);
  return {
    uid: pod.uid,
    namespace: pod.namespace,
    name: pod.name,
    owner: workload.kind,
    workload: workload.name,
    hash: pod.hash,
    graceSeconds: spec.terminationGracePeriodSeconds,
    hostname: spec.hostname ?? pod.name,
    network: spec.hostNetwork ? 'host' : 'bridge',
    hostPid: spec.hostPID,
    hostIpc: spec.hostIPC,
    aliases: spec.hostAliases,
    dns: spec.dns,
    sysctls: spec.sysctls,
    ports: published.flatMap(({ hostPort, hostIP, containerPort, protocol }) =>
      hostPort === undefined ? [] : [{ hostPort, hostIP, containerPort, protocol }],
    ),
  };
}

type WatchOptions = Pick<MachineOptions, 'onExit' | 'onError'> & {
  readonly board: HealthBoard;
  readonly signal: AbortSignal;
};

/** Ask it how it is until it ends, and tell of its end. */
function watchContainer(host: Host, id: string, { onExit, onError, board, signal }: WatchOptions): void {
  const state = readState(host.paths.state, id);
  const identity = identityOf(state?.record.labels ?? {});
  if (state === undefined || identity === undefined || identity.owner === 'run') return;
  if (state.status !== 'stopped') board.watch(state);
  waitContainer(host.paths.state, id, { signal }).then(
    () => {
      board.forget(id);
      onExit(workloadOf(identity));
    },
    (error: unknown) => {
      if (!signal.aborted) onError(error);
    },
  );
}
