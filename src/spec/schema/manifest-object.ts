// The pieces that schemas are made of: strict objects that know which fields Kubernetes has besides, and checks.
//
// Kubernetes reads `field: null` as if the field were not there (Helm writes such), so every optional field here is
// `.nullish()`.
import * as z from 'zod';

import type { Path } from '../document.ts';

/** What to say about fields that an object does not take. */
export type FieldNotes = {
  /** Fields that Kubernetes has here and berth has not yet. */
  readonly notYet: readonly string[];
  /** Fields that stand somewhere else, with where that is. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Fields that are called otherwise here, with their names. */
  readonly renamed?: Readonly<Record<string, string>>;
};

export const fieldNotes: z.core.$ZodRegistry<FieldNotes> = z.registry<FieldNotes>();

/** A mapping with these fields and no others. */
export function manifestObject<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  notes: FieldNotes = { notYet: [] },
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape).register(fieldNotes, notes);
}

export type Complaint = {
  /** From the checked value to what is wrong. */
  readonly path: Path;
  readonly message: string;
  /** Underline the key instead of the value. */
  readonly part?: 'key';
};

/** Check what types cannot say. `complain` yields everything that is wrong with the value. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  complain: (value: z.output<Schema>) => Iterable<Complaint>,
): Schema {
  return schema.superRefine((value, context) => {
    for (const { path, message, part } of complain(value)) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { part } });
    }
  });
}

/** One of the named fields and no other. Says nothing where an unknown field stands: that was meant to be the one. */
export function exactlyOneOf<Shape extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  names: readonly (string & keyof Shape)[],
): z.ZodObject<Shape, z.core.$strict> {
  return schema.superRefine((value: Readonly<Record<string, unknown>>, context) => {
    if (context.issues.some(({ code, path = [] }) => code === 'unrecognized_keys' && path.length === 0)) return;
    if (names.filter((name) => value[name] !== undefined && value[name] !== null).length === 1) return;
    context.addIssue({ code: 'custom', message: `Give exactly one of ${names.join(', ')}` });
  });
}

/** A string without NUL (no system call takes one) that `problem` has nothing to say against. */
export function text(problem: (value: string) => string | undefined = () => undefined): z.ZodString {
  return checked(z.string(), function* (value) {
    const message = value.includes('\0') ? 'The character U+0000 is not allowed here' : problem(value);
    if (message !== undefined) yield { path: [], message };
  });
}

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number): z.ZodNumber {
  return checked(z.number(), function* (value) {
    if (Number.isSafeInteger(value) && value >= least && value <= most) return;
    yield { path: [], message: `Expected a whole number from ${least} to ${most}, got ${value}` };
  });
}

/** A mapping from names to strings, each name and value checked. */
export function textMap(
  keyProblem: (key: string) => string | undefined,
  value: z.ZodString,
): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(text(keyProblem), value);
}

/** Complaints about every entry whose name an earlier entry has already; entries without name are left alone. */
export function* duplicates<Entry>(
  entries: readonly Entry[],
  { name, field, what }: { name: (entry: Entry) => string | undefined; field: Path; what: string },
): Iterable<Complaint> {
  const seen = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const key = name(entry);
    if (key === undefined) continue;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else yield { path: [index, ...field], message: `The ${what} '${key}' is already taken by entry [${first}]` };
  }
}
