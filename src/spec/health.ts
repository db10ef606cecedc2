// How a container tells that it is well, and what it does at its start and before its end: the part of the model that the agent
// acts on while the container runs.

export type HealthSpec = {
  readonly startup: ProbeSpec | undefined;
  readonly readiness: ProbeSpec | undefined;
  readonly liveness: ProbeSpec | undefined;
  readonly postStart: HandlerSpec | undefined;
  readonly preStop: HandlerSpec | undefined;
};

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export type ProbeSpec = {
  readonly action: ProbeAction;
  /** Not before the container has run for so long. */
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** When the probe ends the container; undefined: the pod's. */
  readonly terminationGracePeriodSeconds: number | undefined;
};

export type ProbeAction =
  | ExecAction
  | HttpAction
  /** `host` undefined: the pod's address. */
  | { readonly kind: 'tcpSocket'; readonly host: string | undefined; readonly port: number }
  /** The service that grpc.health.v1.Health/Check is asked about; '' is the server as a whole. */
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string };

export type ExecAction = { readonly kind: 'exec'; readonly command: readonly string[] };

export type HttpAction = {
  readonly kind: 'httpGet';
  readonly scheme: 'HTTP' | 'HTTPS';
  /** Undefined: the pod's address. */
  readonly host: string | undefined;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
};

export type HandlerSpec = ExecAction | HttpAction | { readonly kind: 'sleep'; readonly seconds: number };
