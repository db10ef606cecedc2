// The agent's log: a constant message and fields, as JSON lines, or for people on a terminal. Whoever logs puts no secret into a
// field; what holds one (registry credentials) prints as `[redacted]` by itself.
import type { LogLevel } from './config.ts';

export type Field = string | number | boolean | readonly string[] | undefined;
export type Fields = Readonly<Record<string, Field>>;
export type LogFunction = (message: string, fields?: Fields) => void;
export type Log = Readonly<Record<LogLevel, LogFunction>>;

export type LogOptions = {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly colour: boolean;
  /** Takes a whole line with its end. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

const ORDER: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

const silent: LogFunction = () => {};

/** A log that writes what is of `level` or more urgent; the other levels are functions that do nothing. */
export function openLog(options: LogOptions): Log {
  const last = ORDER.indexOf(options.level);
  const format = options.format === 'json' ? formatJson : formatPretty;
  const at = (level: LogLevel): LogFunction =>
    ORDER.indexOf(level) > last
      ? silent
      : (message, fields = {}) => options.write(format({ level, message, fields }, options));
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

type Entry = { readonly level: LogLevel; readonly message: string; readonly fields: Fields };
type FormatOptions = Pick<LogOptions, 'now' | 'colour'>;

/** `{"time":…,"level":…,"msg":…, fields}`. */
function formatJson({ level, message, fields }: Entry, { now }: FormatOptions): string {
  const head = { time: new Date(now()).toISOString(), level, msg: message };
  return `${JSON.stringify({ ...head, ...fields })}\n`;
}

const COLOURS: Readonly<Record<LogLevel, string>> = {
  error: '\u001B[31m',
  warn: '\u001B[33m',
  info: '\u001B[32m',
  debug: '\u001B[2m',
};
const DIM = '\u001B[2m';
const RESET = '\u001B[0m';

/** `12:03:04.567 info  step done  workload=default/web step=startContainer`. */
function formatPretty({ level, message, fields }: Entry, { now, colour }: FormatOptions): string {
  const paint = (code: string, text: string): string => (colour ? `${code}${text}${RESET}` : text);
  const time = new Date(now()).toISOString().slice(11, 23);
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${paint(DIM, `${key}=`)}${formatValue(value)}`);
  return `${[`${time} ${paint(COLOURS[level], level.padEnd(5))} ${message}`, ...pairs].join('  ')}\n`;
}

// What would drive the terminal, or pretend to be another line.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

function formatValue(value: Field): string {
  if (Array.isArray(value)) return value.map(formatValue).join(' ');
  const text = String(value);
  const plain = text !== '' && !/[\s"=]/.test(text) && !UNPRINTABLE.test(text);
  if (plain) return text;
  return JSON.stringify(text).replaceAll(new RegExp(UNPRINTABLE, 'g'), '?');
}
