// A point in time as people write it: how long ago (`10m`, `1h30m`, `2d`), RFC 3339 with or without a time of day, or seconds since
// the epoch. Pure.
import { CommandFailure } from './failure.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/i;
const EPOCH_SECONDS = /^\d{1,11}(?:\.\d+)?$/;

/**
 * Milliseconds since the epoch; undefined for what is none of these. A date without an offset is local time, as `date` prints it,
 * and one without a time of day begins at midnight.
 */
export function parseTime(text: string, now: number): number | undefined {
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1000;
  if (!DATE.test(text)) return undefined;
  // ECMAScript takes a date alone for UTC.
  const time = Date.parse(text.length === 10 ? `${text}T00:00` : text);
  return Number.isNaN(time) ? undefined : time;
}

/** `1h30m` in milliseconds; undefined for what is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  return [...text.matchAll(PART)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

/** The value of an option that takes a time; undefined when it is not given. Throws CommandFailure. */
export function timeOption(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text, now);
  if (time !== undefined) return time;
  throw new CommandFailure(
    `${option} takes how long ago (10m, 1h30m), a time (2026-01-02T03:04:05Z) or seconds since the epoch, not '${text}'`,
  );
}
