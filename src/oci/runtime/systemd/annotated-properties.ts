// Annotations `org.systemd.property.NAME`: further properties of the unit, in the text form of GVariant, as runc and crun have
// them. Of that form: booleans, numbers with their type before them, strings, and lists of strings. Pure.
import { OciError } from '../../error.ts';
import { property, type UnitProperty } from './property.ts';

const PREFIX = 'org.systemd.property.';
const INTEGERS: Readonly<Record<string, string>> = { byte: 'y', int16: 'n', uint16: 'q', int32: 'i', uint32: 'u' };
const LONG: Readonly<Record<string, string>> = { int64: 'x', uint64: 't' };
const STRING = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/;

/** Throws OciError CONFIG_INVALID on a value of another form. A name in seconds becomes one in microseconds, as systemd's own files have it. */
export function annotatedProperties(annotations: Readonly<Record<string, string>>): UnitProperty[] {
  return Object.entries(annotations).flatMap(([key, text]): UnitProperty[] => {
    if (!key.startsWith(PREFIX)) return [];
    const name = key.slice(PREFIX.length);
    if (!/^[A-Za-z]{3,}$/.test(name)) throw invalid(key, `'${name}' is not a name of a property`);
    const parsed = parse(text.trim());
    if (parsed === undefined) throw invalid(key, `'${text}' is not understood`);
    return [inMicroseconds(name, parsed)];
  });
}

type Parsed = { readonly signature: string; readonly value: boolean | number | bigint | string | string[] };

function parse(text: string): Parsed | undefined {
  if (text === 'true' || text === 'false') return { signature: 'b', value: text === 'true' };
  const string = stringOf(text);
  if (string !== undefined) return { signature: 's', value: string };
  if (text.startsWith('[') && text.endsWith(']')) return listOf(text.slice(1, -1));
  const { type = 'int32', digits } = /^(?:(?<type>[a-z]+[0-9]*) +)?(?<digits>-?\d+)$/.exec(text)?.groups ?? {};
  if (digits === undefined) return undefined;
  const [short, long] = [INTEGERS[type], LONG[type]];
  if (short !== undefined) return { signature: short, value: Number(digits) };
  return long === undefined ? undefined : { signature: long, value: BigInt(digits) };
}

function listOf(text: string): Parsed | undefined {
  const parts = text.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,]+/g) ?? [];
  const strings = parts.map(stringOf);
  return strings.includes(undefined) ? undefined : { signature: 'as', value: strings as string[] };
}

function stringOf(text: string): string | undefined {
  const match = STRING.exec(text);
  return match === null ? undefined : (match[1] ?? match[2] ?? '').replace(/\\(.)/g, '$1');
}

/** `TimeoutStopSec` is `TimeoutStopUSec` on the bus. */
function inMicroseconds(name: string, { signature, value }: Parsed): UnitProperty {
  if (!name.endsWith('Sec') || name.endsWith('USec') || typeof value === 'boolean')
    return property(name, signature, value);
  if (typeof value !== 'number' && typeof value !== 'bigint') return property(name, signature, value);
  return property(`${name.slice(0, -3)}USec`, 't', BigInt(value) * 1_000_000n);
}

function invalid(key: string, why: string): OciError {
  return new OciError('CONFIG_INVALID', `annotations: ${key}: ${why}`);
}
