// siginfo_t as waitid(2) fills it for a child that ended.

/** sizeof(siginfo_t). */
export const SIGINFO_SIZE = 128;

const CLD_EXITED = 1;
const CLD_KILLED = 2;
const CLD_DUMPED = 3;

/** How a process ended: by `exit(code)`, or by a signal. */
export type ExitStatus =
  { readonly code: number; readonly signal?: undefined } | { readonly code?: undefined; readonly signal: number };

/** The exit status in a siginfo_t, or undefined when it tells of no end (waitid with WNOHANG leaves zeros). */
export function parseSiginfo(info: Buffer): ExitStatus | undefined {
  const code = info.readInt32LE(8);
  const status = info.readInt32LE(24);
  if (code === CLD_EXITED) return { code: status };
  if (code === CLD_KILLED || code === CLD_DUMPED) return { signal: status };
  return undefined;
}

/** As shells and runc report it: the code, or 128 plus the signal's number. */
export function shellExitCode(status: ExitStatus): number {
  return status.signal === undefined ? status.code : 128 + status.signal;
}
