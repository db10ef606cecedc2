// One probe: ask the container once, in the time that the probe has.
import { connect } from 'node:net';

import { execInContainer } from '../../oci/runtime/exec.ts';
import { readConfig } from '../../oci/runtime/read-config.ts';
import type { Runtime } from '../../oci/runtime/runtime.ts';
import { shellExitCode } from '../../linux/siginfo.ts';
import type { ProbeOutcome } from '../../reconcile/probe-state.ts';
import type { ExecAction, ProbeAction } from '../../spec/health.ts';
import type { GrpcAnswer } from './grpc-health.ts';

/** Whom to ask. */
export type ProbeSubject = {
  readonly runtime: Runtime;
  readonly id: string;
  /** The pod's, or this machine's own with its network. */
  readonly address: string;
};

const SHOWN_CHARACTERS = 200;

/** Ask once. Never rejects. */
export async function runProbe(
  action: ProbeAction,
  subject: ProbeSubject,
  { timeoutSeconds, signal }: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
): Promise<ProbeOutcome> {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    return await ask(action, subject, AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) return { result: 'error', message: 'interrupted' };
    if (timeout.aborted) return { result: 'failure', message: `no answer within ${timeoutSeconds} s` };
    return { result: resultOf(action), message: error instanceof Error ? error.message : String(error) };
  }
}

/** A program that cannot be run says nothing about the container, as in the kubelet; a connection that is refused does. */
function resultOf({ kind }: ProbeAction): ProbeOutcome['result'] {
  return kind === 'exec' ? 'error' : 'failure';
}

async function ask(action: ProbeAction, subject: ProbeSubject, signal: AbortSignal): Promise<ProbeOutcome> {
  switch (action.kind) {
    case 'exec': {
      const code = await execAction(action, subject, signal);
      return outcome(code === 0, `exit code ${code} of ${action.command.join(' ')}`);
    }
    case 'httpGet': {
      const { httpGet } = await import('./http-request.ts');
      const { status, body } = await httpGet(action, subject.address, signal);
      return outcome(status >= 200 && status < 400, `HTTP status ${status}${body === '' ? '' : `: ${body}`}`);
    }
    case 'tcpSocket':
      await connectOnce({ host: action.host ?? subject.address, port: action.port }, signal);
      return outcome(true, 'connected');
    case 'grpc': {
      const [{ checkGrpcHealth }, { SERVING, statusName }] = await Promise.all([
        import('./grpc-health.ts'),
        import('./grpc-health-message.ts'),
      ]);
      const answer: GrpcAnswer = await checkGrpcHealth({ ...action, host: subject.address }, signal);
      if ('status' in answer) return outcome(answer.status === SERVING, `gRPC health ${statusName(answer.status)}`);
      return outcome(false, `gRPC status ${answer.code}: ${answer.message}`);
    }
  }
}

function outcome(isSuccess: boolean, message: string): ProbeOutcome {
  return {
    result: isSuccess ? 'success' : 'failure',
    message: message.replaceAll(/\s+/g, ' ').slice(0, SHOWN_CHARACTERS).trim(),
  };
}

/** Run a program in the container, as its own user and with its own environment; its output is not kept. Resolves with its exit code. */
export async function execAction(
  { command }: ExecAction,
  { runtime, id }: ProbeSubject,
  signal: AbortSignal,
): Promise<number> {
  const { process } = readConfig(runtime, id);
  if (process === undefined) throw new Error('it has no process to take a user and an environment from');
  const sink = runtime.nullDevice();
  const status = await execInContainer(runtime, {
    id,
    process: { ...process, args: [...command], terminal: false },
    stdio: [sink, sink, sink],
    signal,
  });
  return shellExitCode(status);
}

function connectOnce(where: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
