// What a part of a JSON document must look like. A shape looks at a value and throws an OciError that names the place.
// A property that no shape knows is left alone, as the specification wants it ("Extensibility"); `null` counts as missing, as it
// does for the tools that are written in Go.
import { OciError } from '../error.ts';

export type Shape = (value: unknown, path: string) => void;

const wrong = (path: string, message: string): OciError => new OciError('CONFIG_INVALID', `${path}: ${message}`);

/** Any string that the kernel can be given: it has no NUL. */
export const text: Shape = (value, path) => {
  if (typeof value !== 'string') throw wrong(path, `${shown(value)} is not a string`);
  if (value.includes('\0')) throw wrong(path, 'a string with a NUL byte');
};

export const flag: Shape = (value, path) => {
  if (typeof value !== 'boolean') throw wrong(path, `${shown(value)} is neither true nor false`);
};

/** An absolute path. */
export const absolute: Shape = (value, path) => {
  text(value, path);
  if (!String(value).startsWith('/')) throw wrong(path, `${shown(value)} is not an absolute path`);
};

/** A whole number between the two. Numbers above 2^53 are what JSON.parse has made of them. */
export function whole(min: number, max: number): Shape {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw wrong(path, `${shown(value)} is not a whole number`);
    if (value < min || value > max) throw wrong(path, `${value} is not from ${min} to ${max}`);
  };
}

/** One of these strings. */
export function oneOf(names: readonly string[]): Shape {
  return (value, path) => {
    if (typeof value !== 'string' || !names.includes(value))
      throw wrong(path, `${shown(value)} is none of ${names.join(', ')}`);
  };
}

/** An array of these. */
export function listOf(shape: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, `${shown(value)} is not an array`);
    for (const [index, item] of value.entries()) shape(item, `${path}[${index}]`);
  };
}

/** An object whose values are all of one kind. */
export function mapOf(shape: Shape): Shape {
  return (value, path) => {
    for (const [key, item] of Object.entries(requireObject(value, path))) shape(item, `${path}['${key}']`);
  };
}

/** An object with these properties; the names in `required` must be there. */
export function record(properties: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape {
  return (value, path) => {
    const entries = Object.entries(requireObject(value, path)).filter(
      ([, item]) => item !== null && item !== undefined,
    );
    const present = new Map(entries);
    for (const name of required) if (!present.has(name)) throw wrong(within(path, name), 'it is missing');
    for (const [name, item] of entries)
      if (Object.hasOwn(properties, name)) properties[name]?.(item, within(path, name));
  };
}

/** What the specification has and berth has not. Empty values ask for nothing. */
export function unsupported(why: string): Shape {
  return (value, path) => {
    const isEmpty =
      value === '' ||
      value === false ||
      (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
    if (!isEmpty) throw wrong(path, `not supported: ${why}`);
  };
}

function within(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function requireObject(value: unknown, path: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong(path === '' ? 'config.json' : path, `${shown(value)} is not an object`);
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
