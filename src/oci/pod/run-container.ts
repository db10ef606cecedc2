// One container without a manifest: `berth run`. It is a pod of one, so that everything else (ps, logs, exec, rm) is the same.
import { createHash } from 'node:crypto';

import type { Host } from '../host.ts';
import type { Image } from '../image/image.ts';
import type { PublishedPort } from '../network/published-port.ts';
import { OciError } from '../error.ts';
import { startPodContainer, type PodContainer, type StartedContainer } from './start-container.ts';
import { createSandbox, readSandbox, removeSandbox, type NetworkMode } from './sandbox.ts';

export type RunOptions = Omit<PodContainer, 'name' | 'hash' | 'restarts' | 'crashes' | 'image'> & {
  readonly name: string;
  readonly image: Image;
  /** The name where not given. */
  readonly hostname: string | undefined;
  readonly network: NetworkMode;
  readonly ports: readonly PublishedPort[];
};

const NAMESPACE = 'default';
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const DEFAULT_GRACE_SECONDS = 10;

/** The uid of the pod that `berth run --name` makes. */
export function standaloneUid(name: string): string {
  return createHash('sha256').update(`run/${NAMESPACE}/${name}`).digest('hex').slice(0, 32);
}

/**
 * Start a container of its own. Rejects with OciError CONFIG_INVALID (name), CONTAINER_EXISTS (name is taken) or what the start of a
 * container rejects with; nothing is left then.
 */
export async function runStandalone(
  host: Host,
  options: RunOptions,
): Promise<StartedContainer & { readonly podUid: string }> {
  const { name, hostname, network, ports } = options;
  if (!NAME.test(name)) {
    throw new OciError(
      'CONFIG_INVALID',
      `'${name}' cannot be a container's name: lower case letters, digits and - only, at most 63`,
    );
  }
  const podUid = standaloneUid(name);
  if (readSandbox(host, podUid) !== undefined) {
    throw new OciError(
      'CONTAINER_EXISTS',
      `The name '${name}' is taken: remove that container with 'berth rm ${name}', or choose another name`,
    );
  }
  const spec = {
    uid: podUid,
    namespace: NAMESPACE,
    name,
    owner: 'run',
    workload: name,
    hash: '',
    graceSeconds: DEFAULT_GRACE_SECONDS,
  } as const;
  const sandbox = await createSandbox(host, { ...spec, hostname: hostname ?? name, network, ports });
  try {
    const started = await startPodContainer(host, sandbox, { ...options, hash: '', restarts: 0, crashes: 0 });
    return { ...started, podUid };
  } catch (error) {
    await removeSandbox(host, podUid);
    throw error;
  }
}
