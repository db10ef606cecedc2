// postStart right after a container's program runs, preStop right before it is asked to end. What they are is read from the
// container's record: its manifest may be another by now, or gone.
import type { Host } from '../../oci/host.ts';
import { OciError } from '../../oci/error.ts';
import { identityOf, type ContainerIdentity } from '../../oci/pod/labels.ts';
import { stopContainer } from '../../oci/runtime/signal-container.ts';
import { readState } from '../../oci/runtime/state.ts';
import { podAddress } from '../probe/health-board.ts';
import { healthOfLabels } from '../probe/health-label.ts';
import { runHook } from '../probe/lifecycle-hook.ts';
import type { ProbeSubject } from '../probe/run-probe.ts';
import type { HandlerSpec } from '../../spec/health.ts';

/** What is left of the grace after preStop, as with the kubelet: enough to end in an orderly way. */
const LEAST_GRACE_MS = 2000;
/** For a container whose postStart failed. */
const FAILED_GRACE_MS = 2000;

type Hooks = {
  readonly identity: ContainerIdentity;
  readonly subject: ProbeSubject;
  readonly postStart: HandlerSpec | undefined;
  readonly preStop: HandlerSpec | undefined;
};

/** Undefined for a container that does not run. */
function hooksOf(host: Host, id: string): Hooks | undefined {
  const state = readState(host.paths.state, id);
  const identity = identityOf(state?.record.labels ?? {});
  if (state?.status !== 'running' || identity === undefined) return undefined;
  const { postStart, preStop } = healthOfLabels(state.record.labels);
  const subject = { runtime: host.runtime, id, address: podAddress(host, identity.podUid) };
  return { identity, subject, postStart, preStop };
}

/** Run postStart to its end. A container whose hook fails is ended, and the start rejects with OciError HOOK_FAILED. */
export async function runPostStart(host: Host, id: string, signal: AbortSignal): Promise<void> {
  const hooks = hooksOf(host, id);
  if (hooks?.postStart === undefined) return;
  try {
    await runHook(hooks.postStart, hooks.subject, signal);
  } catch (error) {
    // The agent ends: the container runs on, and the next agent finds it so.
    signal.throwIfAborted();
    await stopContainer(host.runtime, id, { graceMs: FAILED_GRACE_MS, signal });
    const { container } = hooks.identity;
    throw new OciError('HOOK_FAILED', `Cannot start container '${container}': postStart: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

type PreStopOptions = {
  readonly graceMs: number;
  readonly signal: AbortSignal;
  readonly onHookFailed: (identity: ContainerIdentity, error: unknown) => void;
};

/** Run preStop within the grace. Resolves with what is left of it; a hook that fails changes nothing else. */
export async function runPreStop(
  host: Host,
  id: string,
  { graceMs, signal, onHookFailed }: PreStopOptions,
): Promise<number> {
  const hooks = graceMs === 0 ? undefined : hooksOf(host, id);
  if (hooks?.preStop === undefined) return graceMs;
  const begin = performance.now();
  try {
    await runHook(hooks.preStop, hooks.subject, AbortSignal.any([signal, AbortSignal.timeout(graceMs)]));
  } catch (error) {
    signal.throwIfAborted();
    onHookFailed(hooks.identity, error);
  }
  return Math.max(LEAST_GRACE_MS, graceMs - (performance.now() - begin));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
