// signal(7): numbers by name.
import { constants } from 'node:os';

const SIGRTMIN = 34;
const SIGRTMAX = 64;

/**
 * The number of a signal written as people do: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`. Undefined when there is none.
 */
export function signalNumber(name: string): number | undefined {
  if (/^\d{1,2}$/.test(name)) return Number(name) <= SIGRTMAX ? Number(name) : undefined;
  const upper = name.toUpperCase();
  const full = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const known = (constants.signals as Readonly<Record<string, number>>)[full];
  if (known !== undefined) return known;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(full);
  if (realTime === null) return undefined;
  const offset = realTime[3] === undefined ? 0 : Number(`${realTime[2]}${realTime[3]}`);
  const number = (realTime[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + offset;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}
