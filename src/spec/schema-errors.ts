// zod's issues → ManifestErrors with places. Nothing of zod goes further than this file.
import type * as z from 'zod';

import { errorAt, spanAt, valueAt, type ManifestDocument, type Path } from './document.ts';
import type { ManifestError } from './manifest-error.ts';
import { nearestName } from './nearest-name.ts';
import { alternatives, quoted } from './quoted-text.ts';
import { fieldNotes } from './schema/manifest-object.ts';
import { objectSchemaAt } from './schema/schema-walk.ts';

/** One error for everything that `schema` has against the document; one of its issues can make several. */
export function schemaErrors(
  document: ManifestDocument,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): readonly ManifestError[] {
  return issues.flatMap((issue) => issueErrors(document, schema, issue));
}

function issueErrors(document: ManifestDocument, schema: z.ZodType, issue: z.core.$ZodIssue): ManifestError[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        errorAt(document, { path: [...path, key], part: 'key' }, unknownFieldMessage(schema, path, key)),
      );
    case 'invalid_type':
      return [typeError(document, path, issue.expected)];
    case 'invalid_value':
      return [choiceError(document, path, issue.values)];
    case 'invalid_union':
      return isMissing(document, path) ? [missingError(document, path)] : [errorAt(document, { path }, issue.message)];
    case 'invalid_key':
      return [errorAt(document, { path, part: 'key' }, issue.issues[0]?.message ?? issue.message)];
    case 'custom':
      return [errorAt(document, { path, part: issue.params?.['part'] === 'key' ? 'key' : 'value' }, issue.message)];
    default:
      return [errorAt(document, { path }, issue.message)];
  }
}

function unknownFieldMessage(schema: z.ZodType, path: Path, key: string): string {
  const object = objectSchemaAt(schema, path);
  const { notYet, elsewhere = {}, renamed = {} } = (object && fieldNotes.get(object)) ?? { notYet: [] };
  if (notYet.includes(key)) return 'Not supported yet: Kubernetes has this field, berth does not';
  const known = Object.keys(object?.shape ?? {});
  if (Object.hasOwn(elsewhere, key)) return `Unknown field here; it belongs to ${elsewhere[key]}`;
  const guess = Object.hasOwn(renamed, key) ? renamed[key] : nearestName(key, [...known, ...notYet]);
  if (guess === undefined) return 'Unknown field';
  return `Unknown field; did you mean '${guess}'${notYet.includes(guess) ? ' (which is not supported yet)' : ''}?`;
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['string', 'a string'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['null', 'nothing (null)'],
]);

function isMissing(document: ManifestDocument, path: Path): boolean {
  return valueAt(document, path) === undefined;
}

function missingError(document: ManifestDocument, path: Path): ManifestError {
  return errorAt(document, { path }, 'This required field is missing');
}

function typeError(document: ManifestDocument, path: Path, expected: string): ManifestError {
  if (isMissing(document, path)) return missingError(document, path);
  const value = valueAt(document, path);
  if (expected === 'number' && typeof value === 'bigint') {
    return errorAt(document, { path }, `The number ${written(document, path)} is too large`);
  }
  const message = `Expected ${WORDS.get(expected) ?? expected}, got ${describe(document, path)}`;
  const part = value === null ? 'key' : 'value';
  return errorAt(document, { path, part }, message + typeHint(document, path, expected));
}

/** How to write what was probably meant. */
function typeHint(document: ManifestDocument, path: Path, expected: string): string {
  const value = valueAt(document, path);
  const plain = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  if (expected === 'string' && plain) {
    return document.confidential ? '; put quotes around it' : `; put quotes around it: "${written(document, path)}"`;
  }
  if (typeof value !== 'string' || document.confidential) return '';
  if (expected === 'number' && /^\d+$/.test(value)) return '; drop the quotes';
  if (expected !== 'boolean') return '';
  if (/^(?:yes|on|y|true)$/i.test(value)) return '; write true';
  return /^(?:no|off|n|false)$/i.test(value) ? '; write false' : '';
}

function choiceError(document: ManifestDocument, path: Path, values: readonly unknown[]): ManifestError {
  if (isMissing(document, path)) return missingError(document, path);
  const value = valueAt(document, path);
  const names = values.filter((choice) => typeof choice === 'string');
  const guess = typeof value === 'string' ? nearestName(value, names) : undefined;
  const hint = guess === undefined || names.length < 2 ? '' : `; did you mean '${guess}'?`;
  const message = `Expected ${alternatives(names)}, got ${describe(document, path)}${hint}`;
  return errorAt(document, { path, part: value === null ? 'key' : 'value' }, message);
}

function describe(document: ManifestDocument, path: Path): string {
  const value = valueAt(document, path);
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return document.confidential ? 'a string' : `the string ${quoted(value)}`;
    case 'boolean':
      return document.confidential ? 'true or false' : written(document, path);
    case 'number':
    case 'bigint':
      return document.confidential ? 'a number' : `the number ${written(document, path)}`;
    default:
      return 'a mapping';
  }
}

/** A number or boolean as it stands in the text: `1.10`, where its value is 1.1. */
function written(document: ManifestDocument, path: Path): string {
  const { start, end } = spanAt(document, path, 'value');
  return document.source.text.slice(start, end);
}
