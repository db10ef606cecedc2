// The containers of this machine as commands show them.
import { openCgroup } from '../linux/cgroup/cgroup.ts';
import { shellExitCode } from '../linux/siginfo.ts';
import { errnoName } from '../linux/errno.ts';
import { containerName } from '../agent/container-name.ts';
import type { Host } from '../oci/host.ts';
import { identityOf } from '../oci/pod/labels.ts';
import type { PodOwner } from '../oci/pod/owner.ts';
import { listSandboxes, type Sandbox } from '../oci/pod/sandbox.ts';
import { listStates, type ContainerState } from '../oci/runtime/state.ts';

export type ContainerStatusWord = 'creating' | 'created' | 'running' | 'paused' | 'exited';

/** One container. This is also what `-o json` prints: names stay. */
export type ContainerView = {
  readonly id: string;
  /** What a person types to mean it: `web-0/server`. */
  readonly name: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  /** Who keeps it: `Deployment`, `Pod`, or `run` for `berth run`. */
  readonly owner: PodOwner;
  readonly workload: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly status: ContainerStatusWord;
  /** 0 when it does not run. */
  readonly pid: number;
  /** 128 + n after signal n. Absent while it runs, and when nobody saw the end. */
  readonly exitCode?: number;
  /** The program never ran: the name of the error. */
  readonly startError?: string;
  readonly restarts: number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly finishedAt?: string;
  /** Of its pod; absent with the machine's network. */
  readonly ip?: string;
  readonly ports: readonly PortView[];
  readonly logFile?: string;
  /** What its probes say, as far as an agent runs; absent without probes. */
  readonly ready?: boolean;
  /** Why it is not ready. */
  readonly problem?: string;
};

export type PortView = {
  readonly hostIP?: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
};

/** Every container of berth, oldest first. */
export function listContainers(host: Host): ContainerView[] {
  const sandboxes = new Map(listSandboxes(host).map((sandbox) => [sandbox.uid, sandbox]));
  return listStates(host.paths.state).flatMap((state) => {
    const view = viewOf(host, state, sandboxes);
    return view === undefined ? [] : [view];
  });
}

function viewOf(host: Host, state: ContainerState, sandboxes: ReadonlyMap<string, Sandbox>): ContainerView | undefined {
  const { record, pid, exit, failedErrno, finishedAt } = state;
  const identity = identityOf(record.labels);
  if (identity === undefined) return undefined;
  const { namespace, pod, podUid, container, owner, workload, image, imageDigest, restarts } = identity;
  const sandbox = sandboxes.get(podUid);
  return {
    id: record.id,
    name: containerName(identity),
    namespace,
    pod,
    podUid,
    container,
    owner,
    workload,
    image,
    imageDigest,
    status: statusWord(host, state),
    pid,
    ...(exit === undefined ? {} : { exitCode: shellExitCode(exit) }),
    ...(failedErrno === undefined ? {} : { startError: errnoName(failedErrno) }),
    restarts,
    createdAt: new Date(record.createdAt).toISOString(),
    ...(finishedAt === undefined ? {} : { finishedAt: new Date(finishedAt).toISOString() }),
    ...(sandbox?.pinned?.ipv4 === undefined ? {} : { ip: sandbox.pinned.ipv4 }),
    ports: (sandbox?.ports ?? []).map(({ hostIP, ...port }) => (hostIP === undefined ? port : { hostIP, ...port })),
    ...(record.logFile === undefined ? {} : { logFile: record.logFile }),
  };
}

function statusWord(host: Host, { status, record }: ContainerState): ContainerStatusWord {
  if (status === 'stopped') return 'exited';
  if (status !== 'running') return status;
  return openCgroup(host.runtime.cgroups, record.cgroupPath).frozen() ? 'paused' : 'running';
}
