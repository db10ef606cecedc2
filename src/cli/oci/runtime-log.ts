// `--log FILE --log-format text|json`: what containerd's shim, conmon and Podman read when a command has failed. A line holds a
// level, a message and a time, as logrus writes them for runc.
import { appendFileSync } from 'node:fs';

export type LogFormat = 'text' | 'json';
export type LogLevel = 'debug' | 'warning' | 'error';
export type RuntimeLog = (level: LogLevel, message: string) => void;

export type LogOptions = {
  /** Undefined: standard error. */
  readonly file: string | undefined;
  readonly format: LogFormat;
  readonly debug: boolean;
};

/** Where messages go. Errors are always on standard error too. */
export function openLog({ file, format, debug }: LogOptions): RuntimeLog {
  return (level, message) => {
    if (level === 'debug' && !debug) return;
    if (file !== undefined) appendFileSync(file, `${logLine(format, { level, message, time: new Date() })}\n`);
    if (file === undefined || level === 'error') process.stderr.write(`${forPeople(level, message)}\n`);
  };
}

type Entry = { readonly level: LogLevel; readonly message: string; readonly time: Date };

/** One line of a log, without its end. Pure. */
export function logLine(format: LogFormat, { level, message, time }: Entry): string {
  const stamp = time.toISOString().replace(/\.\d+Z$/, 'Z');
  if (format === 'json') return JSON.stringify({ level, msg: message, time: stamp });
  return `time="${stamp}" level=${level} msg=${JSON.stringify(message)}`;
}

function forPeople(level: LogLevel, message: string): string {
  return level === 'error' ? `berth-oci: ${message}` : `berth-oci: ${level}: ${message}`;
}
