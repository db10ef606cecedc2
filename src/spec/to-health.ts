// The probes and lifecycle hooks of a checked container → HealthSpec, with the defaults of Kubernetes.
import type { ExecAction, HandlerSpec, HealthSpec, HttpAction, ProbeAction, ProbeSpec } from './health.ts';
import { portOf, type HandlerManifest, type HealthManifest, type ProbeManifest } from './schema/probe.ts';

/** kubernetes.io, "Configure Liveness, Readiness and Startup Probes". */
const PROBE_DEFAULTS = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
} as const;

/** Undefined where a container has none of it. */
export function toHealth(container: HealthManifest): HealthSpec | undefined {
  const { startupProbe, readinessProbe, livenessProbe, lifecycle } = container;
  const health: HealthSpec = {
    startup: toProbe(container, startupProbe),
    readiness: toProbe(container, readinessProbe),
    liveness: toProbe(container, livenessProbe),
    postStart: toHandler(container, lifecycle?.postStart),
    preStop: toHandler(container, lifecycle?.preStop),
  };
  return Object.values(health).some((one) => one !== undefined) ? health : undefined;
}

function toProbe(container: HealthManifest, probe: ProbeManifest | null | undefined): ProbeSpec | undefined {
  if (!probe) return undefined;
  const action = toAction(container, probe);
  if (action === undefined) return undefined;
  return {
    action,
    initialDelaySeconds: probe.initialDelaySeconds ?? PROBE_DEFAULTS.initialDelaySeconds,
    periodSeconds: probe.periodSeconds ?? PROBE_DEFAULTS.periodSeconds,
    timeoutSeconds: probe.timeoutSeconds ?? PROBE_DEFAULTS.timeoutSeconds,
    successThreshold: probe.successThreshold ?? PROBE_DEFAULTS.successThreshold,
    failureThreshold: probe.failureThreshold ?? PROBE_DEFAULTS.failureThreshold,
    terminationGracePeriodSeconds: probe.terminationGracePeriodSeconds ?? undefined,
  };
}

function toAction(container: HealthManifest, { tcpSocket, grpc, ...probe }: ProbeManifest): ProbeAction | undefined {
  if (tcpSocket) {
    const { host, port } = tcpSocket;
    return { kind: 'tcpSocket', host: host ?? undefined, port: portOf(container, port) ?? 0 };
  }
  if (grpc) return { kind: 'grpc', port: grpc.port, service: grpc.service ?? '' };
  return toExec(probe) ?? toHttp(container, probe);
}

function toHandler(container: HealthManifest, handler: HandlerManifest | null | undefined): HandlerSpec | undefined {
  if (!handler) return undefined;
  if (handler.sleep) return { kind: 'sleep', seconds: handler.sleep.seconds };
  return toExec(handler) ?? toHttp(container, handler);
}

function toExec({ exec }: Pick<HandlerManifest, 'exec'>): ExecAction | undefined {
  return exec ? { kind: 'exec', command: exec.command } : undefined;
}

function toHttp(container: HealthManifest, { httpGet }: Pick<HandlerManifest, 'httpGet'>): HttpAction | undefined {
  if (!httpGet) return undefined;
  const { scheme, host, port, path, httpHeaders } = httpGet;
  return {
    kind: 'httpGet',
    scheme: scheme ?? 'HTTP',
    host: host ?? undefined,
    port: portOf(container, port) ?? 0,
    path: path ?? '/',
    headers: httpHeaders ?? [],
  };
}
