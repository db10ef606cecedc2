// YAML 1.2 core scalars, without what JSON (and so Kubernetes) cannot say, and without silent loss of digits.
import type { Scalar } from 'yaml';

/**
 * Fields where a leading zero means octal, as in every Kubernetes example: there YAML 1.1 is read, in which 0644 is
 * 420. YAML 1.2 reads it as six hundred and forty-four; anywhere else it is refused as ambiguous.
 */
const MODE_FIELDS: ReadonlySet<string> = new Set(['mode', 'defaultMode']);

const LONGEST_NUMBER = 40;

/** The scalar as plain data. `key` is the field it is the value of. Never throws. */
export function scalarValue(node: Scalar.Parsed, key: string): { value: unknown } | { problem: string } {
  const { value } = node;
  if (typeof value === 'number') return numberValue(value, node.source, key);
  if (typeof value !== 'string' || value.isWellFormed()) return { value };
  return { problem: 'The string is not valid Unicode: a surrogate has no partner' };
}

function numberValue(value: number, source: string, key: string): { value: unknown } | { problem: string } {
  if (source.length > LONGEST_NUMBER) return { problem: 'The number is too long' };
  if (!Number.isFinite(value)) return { problem: `'${source}' is not a number that a manifest can hold` };
  if (/^[-+]?0[0-9]+$/.test(source)) return leadingZero(source, key);
  if (/^[-+]?[0-9]+$/.test(source) && !Number.isSafeInteger(value)) return { value: BigInt(source.replace('+', '')) };
  if (/^0[xo]/.test(source) && !Number.isSafeInteger(value)) return { problem: `The number '${source}' is too large` };
  return { value };
}

function leadingZero(source: string, key: string): { value: unknown } | { problem: string } {
  if (MODE_FIELDS.has(key) && /^0[0-7]+$/.test(source)) return { value: Number.parseInt(source, 8) };
  return {
    problem: `The number '${source}' is ambiguous: YAML 1.1 reads it as octal, YAML 1.2 as decimal; drop the leading zeros, write 0o for octal, or put quotes around it`,
  };
}
