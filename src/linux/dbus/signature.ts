// Type signatures of D-Bus (D-Bus Specification, "Type System"). Pure.

const BASIC = 'ybnqiuxtdsogh';
const MAX_LENGTH = 255;
const MAX_DEPTH = 32;

export type DbusType =
  | { readonly kind: 'basic'; readonly code: string }
  | { readonly kind: 'variant' }
  | { readonly kind: 'array'; readonly element: DbusType }
  /** A dict entry too: it is laid out the same. */
  | { readonly kind: 'struct'; readonly fields: readonly DbusType[] };

/** The complete types that follow each other in a signature. Throws RangeError when it is none. */
export function parseSignature(signature: string): readonly DbusType[] {
  if (signature.length > MAX_LENGTH) throw new RangeError(`The D-Bus signature '${signature}' is too long`);
  const types: DbusType[] = [];
  for (let at = 0; at < signature.length;) {
    const { type, next } = parseType({ signature, depth: 0 }, at);
    types.push(type);
    at = next;
  }
  return types;
}

type Place = { readonly signature: string; readonly depth: number };
type Parsed = { readonly type: DbusType; readonly next: number };

function parseType({ signature, depth }: Place, at: number): Parsed {
  const code = signature[at] ?? '';
  const below = { signature, depth: depth + 1 };
  if (depth > MAX_DEPTH) throw invalid(signature);
  if (code === 'v') return { type: { kind: 'variant' }, next: at + 1 };
  if (code === '(') return parseFields(below, at + 1, ')');
  if (code === 'a') {
    const { type, next } = signature[at + 1] === '{' ? parseEntry(below, at + 2) : parseType(below, at + 1);
    return { type: { kind: 'array', element: type }, next };
  }
  if (code === '' || !BASIC.includes(code)) throw invalid(signature);
  return { type: { kind: 'basic', code }, next: at + 1 };
}

/** A key of a basic type and one value. */
function parseEntry(place: Place, at: number): Parsed {
  const entry = parseFields(place, at, '}');
  const fields = entry.type.kind === 'struct' ? entry.type.fields : [];
  if (fields.length !== 2 || fields[0]?.kind !== 'basic') throw invalid(place.signature);
  return entry;
}

function parseFields(place: Place, start: number, end: string): Parsed {
  const fields: DbusType[] = [];
  let at = start;
  while (place.signature[at] !== end) {
    const { type, next } = parseType(place, at);
    fields.push(type);
    at = next;
  }
  if (fields.length === 0) throw invalid(place.signature);
  return { type: { kind: 'struct', fields }, next: at + 1 };
}

function invalid(signature: string): RangeError {
  return new RangeError(`'${signature}' is not a D-Bus signature`);
}

const ALIGNMENT: Readonly<Record<string, number>> = { y: 1, g: 1, n: 2, q: 2, x: 8, t: 8, d: 8 };

/** The multiple of bytes from the start of a message at which a value of this type begins. */
export function alignmentOf(type: DbusType): number {
  if (type.kind === 'basic') return ALIGNMENT[type.code] ?? 4;
  return { variant: 1, array: 4, struct: 8 }[type.kind];
}
