// A container as the manifest has it → what src/oci starts. Pure but for the volumes, which it makes.
import { availableParallelism, hostname as nodeName, totalmem } from 'node:os';

import type { Host } from '../../oci/host.ts';
import { OciError } from '../../oci/error.ts';
import type { Image } from '../../oci/image/image.ts';
import type { PodContainer } from '../../oci/pod/start-container.ts';
import type { Sandbox } from '../../oci/pod/sandbox.ts';
import type { Resources as OciResources } from '../../oci/runtime/config.ts';
import type { DesiredContainer, DesiredPod, RestartHistory } from '../../reconcile/effects.ts';
import { wantsInit } from '../../spec/annotations.ts';
import type { ConfigData, ConfigReference, Resources } from '../../spec/model.ts';
import { resolveArguments, resolveEnvironment, type PodFacts } from '../../spec/resolve-env.ts';
import { findConfig } from './find-config.ts';
import { volumeMounts } from './volume/volume-mounts.ts';

const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1_000;
/** More is a fork bomb on any machine that berth is for; `limits.pids` says otherwise. */
const DEFAULT_PIDS_LIMIT = 4096;
const SHARES_PER_CORE = 1024;
const MIN_SHARES = 2;

export type ContainerRequestOptions = {
  readonly pod: DesiredPod;
  readonly container: DesiredContainer;
  readonly history: RestartHistory;
};

/** Everything that starting the container needs. Throws OciError CONFIG_INVALID where a volume cannot be made. */
export function podContainer(
  host: Host,
  sandbox: Sandbox,
  image: Image,
  { pod, container, history }: ContainerRequestOptions,
): PodContainer {
  const { spec } = container;
  const { security } = spec;
  const config = (source: ConfigReference): ConfigData | undefined => findConfig(pod, source);
  const environment = resolveEnvironment(spec, { facts: podFacts(pod, sandbox), config });
  return {
    name: container.name,
    role: spec.role,
    image,
    hash: container.hash,
    ...history,
    command: spec.command === undefined ? undefined : resolveArguments(spec.command, environment),
    args: spec.args === undefined ? undefined : resolveArguments(spec.args, environment),
    env: [...environment].map(([name, value]) => `${name}=${value}`),
    workingDir: spec.workingDir,
    mounts: volumeMounts(host, pod, { container, environment }),
    resources: ociResources(spec.resources),
    capabilitiesAdd: security.capabilitiesAdd,
    capabilitiesDrop: security.capabilitiesDrop,
    privileged: security.privileged,
    readonlyRootfs: security.readOnlyRootFilesystem,
    noNewPrivileges: !security.allowPrivilegeEscalation,
    seccomp: security.seccomp === 'Unconfined' ? 'unconfined' : 'default',
    terminal: false,
    init: wantsInit(pod.spec),
    userSpec: security.runAsUser === undefined ? undefined : String(security.runAsUser),
    runAsGroup: security.runAsGroup,
    runAsNonRoot: security.runAsNonRoot,
    supplementalGroups: security.supplementalGroups,
  };
}

function podFacts(pod: DesiredPod, sandbox: Sandbox): PodFacts {
  const { name, namespace, uid, spec } = pod;
  const hostIP = sandbox.pinned?.gateway ?? '127.0.0.1';
  return {
    name,
    namespace,
    uid,
    labels: spec.labels,
    annotations: spec.annotations,
    nodeName: nodeName(),
    podIP: sandbox.pinned?.ipv4 ?? hostIP,
    hostIP,
    capacity: { cpuMillis: availableParallelism() * 1000, memoryBytes: totalmem() },
  };
}

/** Thousandths of a core and bytes as the control groups take them. */
export function ociResources({
  cpuLimitMillis,
  cpuRequestMillis,
  memoryLimitBytes,
  memoryRequestBytes,
  pidsLimit,
}: Resources): OciResources {
  const quota =
    cpuLimitMillis === undefined
      ? {}
      : { quota: Math.max(MIN_QUOTA_US, (cpuLimitMillis * CPU_PERIOD_US) / 1000), period: CPU_PERIOD_US };
  const weight = cpuRequestMillis ?? cpuLimitMillis;
  const shares =
    weight === undefined ? {} : { shares: Math.max(MIN_SHARES, Math.round((weight * SHARES_PER_CORE) / 1000)) };
  const limit = memoryLimitBytes === undefined ? {} : { limit: memoryLimitBytes };
  const reservation = memoryRequestBytes === undefined ? {} : { reservation: memoryRequestBytes };
  if (pidsLimit !== undefined && pidsLimit < 1)
    throw new OciError('CONFIG_INVALID', `limits.pids is ${pidsLimit}: a container needs one process at least`);
  return {
    cpu: { ...quota, ...shares },
    memory: { ...limit, ...reservation },
    pids: { limit: pidsLimit ?? DEFAULT_PIDS_LIMIT },
  };
}
