// ResourceRequirements.
import * as z from 'zod';

import { parseQuantity, toMillis, toUnits } from '../quantity.ts';
import { quoted } from '../quoted-text.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject, type Complaint } from './manifest-object.ts';

/** A quantity as written: YAML makes numbers of those without suffix. */
type Written = string | number | bigint;

export const written = z.union([z.string(), z.number(), z.bigint()], {
  error: "Expected a quantity such as '500m', '1.5' or '128Mi'",
});

function quantity(problem: (nanos: bigint, text: string) => string | undefined): typeof written {
  return checked(written, function* (value) {
    const message = quantityProblem(value, problem);
    if (message !== undefined) yield { path: [], message };
  });
}

function quantityProblem(
  value: Written,
  problem: (nanos: bigint, text: string) => string | undefined,
): string | undefined {
  const text = String(value);
  const nanos = parseQuantity(text);
  if (nanos === undefined) return `${quoted(text)} is not a quantity such as '500m', '1.5' or '128Mi'`;
  return nanos < 0n ? `${quoted(text)} must not be negative` : problem(nanos, text);
}

function coresProblem(nanos: bigint, text: string): string | undefined {
  if (toMillis(nanos) !== undefined) return undefined;
  return nanos % 1_000_000n === 0n
    ? `${quoted(text)} is more than can be counted`
    : `${quoted(text)} is finer than a thousandth of a core`;
}

/** What is wrong with a quantity of bytes, or undefined. */
export function bytesProblem(nanos: bigint, text: string): string | undefined {
  if (toUnits(nanos) !== undefined) return undefined;
  if (nanos % 1_000_000_000n === 0n) return `${quoted(text)} is more bytes than can be counted`;
  const hint = /^\d+m$/.test(text) ? `: 'm' means thousandths; did you mean '${text.slice(0, -1)}Mi'?` : '';
  return `${quoted(text)} is not a whole number of bytes${hint}`;
}

/** No limit is written by leaving the field out; a limit of nothing would stop every process. */
function positive(problem: (nanos: bigint, text: string) => string | undefined): typeof written {
  return quantity((nanos, text) =>
    nanos === 0n ? 'The limit must be more than 0; leave the field out for no limit' : problem(nanos, text),
  );
}

export const byteCount = quantity(bytesProblem);
export const byteLimit = positive(bytesProblem);

/** What the kernel can count processes up to (PID_MAX_LIMIT on 64 bits). */
const MOST_PIDS = 4_194_304;

const pidsLimit = positive((nanos, text) => {
  const count = toUnits(nanos);
  return count === undefined || count > MOST_PIDS ? `${quoted(text)} is not a count of processes` : undefined;
});

const limits = manifestObject(
  { cpu: positive(coresProblem).nullish(), memory: byteLimit.nullish(), pids: pidsLimit.nullish() },
  { notYet: NOT_YET.limits },
);

const requests = manifestObject(
  { cpu: quantity(coresProblem).nullish(), memory: byteCount.nullish() },
  { notYet: NOT_YET.limits, elsewhere: { pids: 'limits' } },
);

export const resources = checked(
  manifestObject({ limits: limits.nullish(), requests: requests.nullish() }, { notYet: NOT_YET.resources }),
  function* ({ limits, requests }): Iterable<Complaint> {
    for (const name of ['cpu', 'memory'] as const) {
      const limit = parseQuantity(String(limits?.[name] ?? ''));
      const request = parseQuantity(String(requests?.[name] ?? ''));
      if (limit === undefined || limit <= 0n || request === undefined || request <= limit) continue;
      yield { path: ['requests', name], message: `The request must not be more than the limit of ${name}` };
    }
  },
);

export type ResourcesManifest = z.output<typeof resources>;
