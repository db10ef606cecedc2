// One thing that `berth doctor` looks at.

export type Check = {
  readonly name: string;
  /** `fail`: berth cannot work. `warn`: it can, with less. */
  readonly result: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do, unless it is ok. */
  readonly advice?: string;
};

export function ok(name: string, detail: string): Check {
  return { name, result: 'ok', detail };
}

export function warn(name: string, detail: string, advice: string): Check {
  return { name, result: 'warn', detail, advice };
}

export function fail(name: string, detail: string, advice: string): Check {
  return { name, result: 'fail', detail, advice };
}
