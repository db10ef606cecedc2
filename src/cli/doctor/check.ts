// One thing that `berth doctor` looks at.

export type Check = {
  readonly name: string;
  /** `fail`: berth cannot work. `warn`: it can, with less. */
  readonly result: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do, unless it is ok. */
  readonly advice?: string;
};

/** A check that found all right. */
export function ok(name: string, detail: string): Check {
  return { name, result: 'ok', detail };
}

/** A check that found something missing that berth can do without. */
export function warn(name: string, detail: string, advice: string): Check {
  return { name, result: 'warn', detail, advice };
}

/** A check that found something missing that berth needs. */
export function fail(name: string, detail: string, advice: string): Check {
  return { name, result: 'fail', detail, advice };
}
