// What can go wrong on a bus.

/** `errorName` is the error that was answered, such as `org.freedesktop.DBus.Error.ServiceUnknown`; else undefined. */
export class DbusError extends Error {
  readonly errorName: string | undefined;

  constructor(message: string, { errorName, cause }: { readonly errorName?: string; readonly cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'DbusError';
    this.errorName = errorName;
  }
}
