// Decoders for JSON from outside: a value in, a typed value out, or a DecodeError that says where and why.
// Written by hand because this is on the way of every container start: loading zod alone takes 58 ms, berth's budget
// for a whole `berth run` is 90 ms.

export type Decode<T> = (value: unknown, path: string) => T;
export type Decoded<D> = D extends Decode<infer T> ? T : never;

/** `path` is empty for the whole document, else such as `layers[2].digest`. */
export class DecodeError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(path === '' ? problem : `${path}: ${problem}`);
    this.name = 'DecodeError';
    this.path = path;
  }
}

/** A string without NUL (most end as C strings), optionally checked by `accept`, which `expected` describes. */
export function text(expected = 'a string', accept: (value: string) => boolean = () => true): Decode<string> {
  return (value, path) => {
    if (typeof value !== 'string' || !accept(value))
      throw new DecodeError(path, `expected ${expected}, got ${show(value)}`);
    if (value.includes('\0')) throw new DecodeError(path, 'contains a NUL character');
    return value;
  };
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Decode<number> {
  return (value, path) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new DecodeError(path, `expected a whole number from ${min} to ${max}, got ${show(value)}`);
  };
}

/** An array of at most `max` items. */
export function list<T>(item: Decode<T>, max: number): Decode<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, `expected an array, got ${show(value)}`);
    if (value.length > max) throw new DecodeError(path, `has ${value.length} items, more than ${max}`);
    return value.map((one: unknown, index) => item(one, `${path}[${index}]`));
  };
}

/** An object used as a map. A key `__proto__` is dropped: it has no honest use. */
export function map<T>(item: Decode<T>): Decode<Readonly<Record<string, T>>> {
  return (value, path) => {
    const entries = Object.entries(plainObject(value, path)).filter(([key]) => key !== '__proto__');
    return Object.fromEntries(entries.map(([key, one]) => [key, item(one, `${path}[${JSON.stringify(key)}]`)]));
  };
}

/** Missing and `null` are `undefined`: Docker writes null for what was not set. */
export function optional<T>(inner: Decode<T>): Decode<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : inner(value, path));
}

/** The named fields of an object; others are ignored, as the image specification demands of readers. */
export function fields<S extends Readonly<Record<string, Decode<unknown>>>>(
  shape: S,
): Decode<{ readonly [K in keyof S]: Decoded<S[K]> }> {
  const entries = Object.entries(shape);
  return (value, path) => {
    const source = plainObject(value, path);
    const read = (key: string): unknown => (Object.hasOwn(source, key) ? source[key] : undefined);
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    return Object.fromEntries(entries.map(([key, decode]) => [key, decode(read(key), at(key))])) as {
      readonly [K in keyof S]: Decoded<S[K]>;
    };
  };
}

/** Parse bytes as UTF-8 JSON. Throws DecodeError. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new DecodeError('', `is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** The object itself when `value` is a JSON object. Throws DecodeError. */
export function plainObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DecodeError(path, `expected an object, got ${show(value)}`);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const shown = JSON.stringify(value);
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}
