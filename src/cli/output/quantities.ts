// Sizes, ages and shares as people read them. Pure.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `1.2MB`: three digits, decimal units, as docker prints sizes. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${Number(value.toFixed(digits))}${UNITS[unit]}`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `5s`, `3m`, `2h`, `4d`: as kubectl prints ages; two units where one would be coarse (`2m30s`, `3h15m`). */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return two(seconds, { unit: MINUTE, name: 'm', below: 1, rest: 's' });
  if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return two(seconds, { unit: HOUR, name: 'h', below: MINUTE, rest: 'm' });
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return two(seconds, { unit: DAY, name: 'd', below: HOUR, rest: 'h' });
  return `${Math.floor(seconds / DAY)}d`;
}

type Units = { readonly unit: number; readonly name: string; readonly below: number; readonly rest: string };

function two(seconds: number, { unit, name, below, rest }: Units): string {
  const smaller = Math.floor((seconds % unit) / below);
  const whole = `${Math.floor(seconds / unit)}${name}`;
  return smaller === 0 ? whole : `${whole}${smaller}${rest}`;
}

/** `12.3%` of a share from 0 to 1 (or more, of several cores). */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
