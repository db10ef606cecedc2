// postStart and preStop: what a container does at its start and before its end.
import { setTimeout as sleep } from 'node:timers/promises';

import type { HandlerSpec } from '../../spec/health.ts';
import { execAction, type ProbeSubject } from './run-probe.ts';

/**
 * Run a hook to its end. Rejects when its program fails or nobody answers, or with the reason of `signal`. What an HTTP server
 * answers does not matter, as with the kubelet: only that it does.
 */
export async function runHook(hook: HandlerSpec, subject: ProbeSubject, signal: AbortSignal): Promise<void> {
  switch (hook.kind) {
    case 'sleep':
      await sleep(hook.seconds * 1000, undefined, { signal });
      return;
    case 'exec': {
      const code = await execAction(hook, subject, signal);
      if (code !== 0) throw new Error(`exit code ${code} of ${hook.command.join(' ')}`);
      return;
    }
    case 'httpGet': {
      const { httpGet } = await import('./http-request.ts');
      await httpGet(hook, subject.address, signal);
    }
  }
}
