// Values of D-Bus as JavaScript has them, by their type.

/**
 * `y b n q i u d`: number, but `b`: boolean; `x t`: bigint; `s o g`: string; `v`: a DbusVariant; arrays, structures and dict entries
 * (key, value): arrays.
 */
export type DbusValue = number | bigint | boolean | string | DbusVariant | readonly DbusValue[];

/** A value with its type: one complete type. */
export type DbusVariant = { readonly signature: string; readonly value: DbusValue };

/** Whether a value is a variant rather than a list or a single value. */
export function isVariant(value: DbusValue): value is DbusVariant {
  return typeof value === 'object' && !Array.isArray(value);
}
