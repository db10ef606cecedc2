// errno(3): names, and the one error that a failed system call becomes.
import { koffi } from './koffi.ts';

// Where glibc has two names for one number, keep the one Node prints.
const ALIASES: ReadonlySet<string> = new Set(['EWOULDBLOCK', 'EDEADLOCK', 'EOPNOTSUPP']);
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(koffi.os.errno)
    .filter(([name]) => !ALIASES.has(name))
    .map(([name, number]) => [number, name]),
);

/** The symbolic name of a positive error number: `errnoName(2)` is `ENOENT`. Unknown numbers print as `errno N`. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** The positive number of a symbolic error name. Throws a RangeError on a name that libc does not have. */
export function errnoNumber(name: string): number {
  const errno = koffi.os.errno[name];
  if (errno === undefined) throw new RangeError(`Unknown error name '${name}'`);
  return errno;
}

/** A failed system call. `code`, `errno` and `syscall` mean what they mean on Node's own fs errors. */
export class SyscallError extends Error {
  readonly code: string;
  /** Negative, as on Node's own errors. */
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, detail: string, hint?: string) {
    const code = errnoName(errno);
    super(`${syscall}(${detail}): ${code}${hint === undefined ? '' : ` (${hint})`}`);
    this.name = 'SyscallError';
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
  }
}

/** Turn C's "-1 and errno" into a throw. `errno` is read first, before anything can clobber it. */
export function check(result: number, syscall: string, detail: () => string): number {
  if (result !== -1) return result;
  const errno = koffi.errno();
  throw new SyscallError(syscall, errno, detail());
}

/** Whether `error` is a system error with one of these codes, from a wrapper here or from `node:fs`. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
