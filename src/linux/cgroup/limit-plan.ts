// What a plan of limits is made of: writes, and what keeps a limit from being possible. Pure.
import { type CgroupLayout, type Controller, hierarchyOf } from './layout.ts';
import type { CgroupDeviceRule } from './resources.ts';

/** One value for one file of a controller. */
export type LimitWrite = {
  readonly controller: Controller | 'unified';
  readonly file: string;
  readonly value: string;
  /** The name of the file, and the form of its value, on kernels that do not have `file`. */
  readonly otherFile?: string;
  readonly otherValue?: string;
  /** What a missing file, or one that takes no value any more, means. */
  readonly hint?: string;
  /** A missing file is noted instead of an error. */
  readonly optional?: boolean;
  /** Some kernels take the value and do nothing: read it again. */
  readonly verified?: boolean;
};

export type LimitPlan = {
  readonly writes: readonly LimitWrite[];
  /** v2: device rules, which are a program instead of a file. Undefined: nothing is to be filtered. */
  readonly deviceFilter?: readonly CgroupDeviceRule[];
  /** What this machine cannot do, one sentence each. Not empty: nothing may be started. */
  readonly problems: readonly string[];
};

/** A plan that does nothing. */
export const NOTHING: LimitPlan = { writes: [], problems: [] };

/** A plan of these writes. */
export function plan(writes: readonly LimitWrite[]): LimitPlan {
  return { ...NOTHING, writes };
}

/** A plan that cannot be. */
export function problem(...problems: readonly string[]): LimitPlan {
  return { ...NOTHING, problems };
}

/** The writes, or that their controller is missing: the limit is named as people know it. */
export function onController(
  layout: CgroupLayout,
  controller: Controller,
  limit: string,
  writes: readonly LimitWrite[],
): LimitPlan {
  if (writes.length === 0) return NOTHING;
  return hierarchyOf(layout, controller) === undefined ? missing(limit, controller) : plan(writes);
}

/** That a limit has no controller. */
export function missing(limit: string, controller: Controller): LimitPlan {
  return problem(`${limit}: no ${controller} controller on this machine`);
}

/** The value of a limit in digits: a number of JSON may be too large for JavaScript's own way of writing it. */
export function digits(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : `${value}`;
}

/** One write, or none for an absent limit and for 0, which OCI's tools have always taken for absent. */
export function numberWrite(controller: Controller, file: string, value: number | undefined): LimitWrite[] {
  return value === undefined || value === 0 ? [] : [{ controller, file, value: digits(value) }];
}
