// What can go wrong with control groups beyond a failed system call.

export type CgroupErrorCode =
  /** A limit needs a controller, or a feature of one, that this machine does not have. */
  | 'UNSUPPORTED'
  /** The kernel refused a value. */
  | 'REFUSED'
  /** The path is not absolute, or has empty or dot segments. */
  | 'PATH_INVALID'
  /** The cgroup exists already and is frozen: a process that joined it would never run. */
  | 'FROZEN'
  /** The cgroup still holds processes. */
  | 'BUSY'
  /** The cgroup does not exist any more. */
  | 'GONE'
  /** Freezing or thawing did not come to an end in time. */
  | 'TIMEOUT';

/** Branch on `code`, never on the text. */
export class CgroupError extends Error {
  readonly code: CgroupErrorCode;

  constructor(code: CgroupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CgroupError';
    this.code = code;
  }
}
