// Probe, Lifecycle and what they do.
import * as z from 'zod';

import { NOT_YET } from './kubernetes-fields.ts';
import { checked, exactlyOneOf, manifestObject, text, wholeNumber, type Complaint } from './manifest-object.ts';
import { portNameProblem } from './names.ts';

/** Seconds and counts of int32 in Kubernetes; a day is more than any probe needs. */
const MOST = 86_400;

const portNumber = wholeNumber(1, 65_535);
const port = z.union([portNumber, text(portNameProblem)]);

const exec = manifestObject({
  command: checked(z.array(text()), function* (words) {
    if (words.length === 0) yield { path: [], message: 'The command must name a program' };
  }),
});

const header = manifestObject({ name: text(headerNameProblem), value: text(headerValueProblem) });

const httpGet = manifestObject({
  port,
  path: text(pathProblem).nullish(),
  host: text(hostProblem).nullish(),
  scheme: z.enum(['HTTP', 'HTTPS']).nullish(),
  httpHeaders: z.array(header).nullish(),
});

const tcpSocket = manifestObject({ port, host: text(hostProblem).nullish() });

const grpc = manifestObject({ port: portNumber, service: text().nullish() });

const probe = exactlyOneOf(
  manifestObject({
    exec: exec.nullish(),
    httpGet: httpGet.nullish(),
    tcpSocket: tcpSocket.nullish(),
    grpc: grpc.nullish(),
    initialDelaySeconds: wholeNumber(0, MOST).nullish(),
    periodSeconds: wholeNumber(1, MOST).nullish(),
    timeoutSeconds: wholeNumber(1, MOST).nullish(),
    successThreshold: wholeNumber(1, MOST).nullish(),
    failureThreshold: wholeNumber(1, MOST).nullish(),
    terminationGracePeriodSeconds: wholeNumber(1, MOST).nullish(),
  }),
  ['exec', 'httpGet', 'tcpSocket', 'grpc'],
);

/** What ends a container must not waver: one success is enough. */
export const endingProbe = checked(probe, function* ({ successThreshold }) {
  if (typeof successThreshold !== 'number' || successThreshold === 1) return;
  yield {
    path: ['successThreshold'],
    message: 'A liveness or startup probe succeeds at the first success: expected 1',
  };
});

export const readinessProbe = checked(probe, function* ({ terminationGracePeriodSeconds: grace }) {
  if (typeof grace !== 'number') return;
  const message = 'A readiness probe ends nothing: this belongs to a liveness or startup probe';
  yield { path: ['terminationGracePeriodSeconds'], message, part: 'key' };
});

const handler = exactlyOneOf(
  manifestObject(
    {
      exec: exec.nullish(),
      httpGet: httpGet.nullish(),
      sleep: manifestObject({ seconds: wholeNumber(0, MOST) }).nullish(),
    },
    { notYet: NOT_YET.lifecycleHandler },
  ),
  ['exec', 'httpGet', 'sleep'],
);

export const lifecycle = manifestObject(
  { postStart: handler.nullish(), preStop: handler.nullish() },
  { notYet: NOT_YET.lifecycle },
);

export type ProbeManifest = z.output<typeof probe>;
export type HandlerManifest = z.output<typeof handler>;

type Nullish<T> = T | null | undefined;

/** The fields of a container that this file is about. */
export type HealthManifest = {
  readonly ports?: Nullish<readonly { readonly name?: Nullish<string>; readonly containerPort: number }[]>;
  readonly livenessProbe?: Nullish<ProbeManifest>;
  readonly readinessProbe?: Nullish<ProbeManifest>;
  readonly startupProbe?: Nullish<ProbeManifest>;
  readonly lifecycle?: Nullish<z.output<typeof lifecycle>>;
};

/** The number of a port that is given by number or by the name that it has in `ports`; undefined: there is no such name. */
export function portOf({ ports }: HealthManifest, wanted: number | string): number | undefined {
  if (typeof wanted === 'number') return wanted;
  return (ports ?? []).find(({ name }) => name === wanted)?.containerPort;
}

/** Complaints about ports that are named and not declared. */
export function* portComplaints(container: HealthManifest): Iterable<Complaint> {
  const { livenessProbe, readinessProbe: ready, startupProbe, lifecycle: cycle } = container;
  const probes = { livenessProbe, readinessProbe: ready, startupProbe };
  const named = [
    ...Object.entries(probes).flatMap(([field, one]) => [
      { path: [field, 'httpGet', 'port'], wanted: one?.httpGet?.port },
      { path: [field, 'tcpSocket', 'port'], wanted: one?.tcpSocket?.port },
    ]),
    { path: ['lifecycle', 'postStart', 'httpGet', 'port'], wanted: cycle?.postStart?.httpGet?.port },
    { path: ['lifecycle', 'preStop', 'httpGet', 'port'], wanted: cycle?.preStop?.httpGet?.port },
  ];
  for (const { path, wanted } of named) {
    if (wanted === undefined || portOf(container, wanted) !== undefined) continue;
    yield { path, message: `The container's ports have no port named '${wanted}'` };
  }
}

function headerNameProblem(name: string): string | undefined {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
    ? undefined
    : 'A header is named by letters, digits and - (RFC 9110)';
}

function headerValueProblem(value: string): string | undefined {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? undefined : 'The value of a header is one line of text (RFC 9110)';
}

function pathProblem(path: string): string | undefined {
  return /^[\x21-\x7e]*$/.test(path) ? undefined : 'A path is printable ASCII without blanks: write others as %20';
}

/** A name or an address; what it stands for is found out when it is asked. */
function hostProblem(host: string): string | undefined {
  return /^[A-Za-z0-9._:-]+$/.test(host) && host.length <= 253 ? undefined : 'Expected a host name or an IP address';
}
