// Walk a schema by the path of a value: to name the fields that stand beside a wrong one, and to list all of them.
import * as z from 'zod';

import type { Path } from '../document.ts';

/** The schema behind `?`, `| null` and the like. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrapped(schema.unwrap());
  return schema;
}

/** The object schema at `path` below `root`, or undefined when there is none. */
export function objectSchemaAt(root: z.core.$ZodType, path: Path): z.ZodObject | undefined {
  let schema = unwrapped(root);
  for (const step of path) {
    const next = childSchema(schema, step);
    if (next === undefined) return undefined;
    schema = unwrapped(next);
  }
  return schema instanceof z.ZodObject ? schema : undefined;
}

function childSchema(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (!(schema instanceof z.ZodObject) || !Object.hasOwn(schema.shape, step)) return undefined;
  return schema.shape[step];
}

/** Every field path below `root`: `spec.containers[].image`. Entries of free mappings (labels, data) are not fields. */
export function fieldPaths(root: z.core.$ZodType, prefix = ''): readonly string[] {
  const schema = unwrapped(root);
  if (schema instanceof z.ZodArray) return fieldPaths(schema.element, `${prefix}[]`);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, child]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [path, ...fieldPaths(child, path)];
  });
}
