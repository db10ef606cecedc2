// A command that cannot go on, in words for people. main.ts prints it and ends with its exit code.

export class CommandFailure extends Error {
  /** What to do about it, if that is known. */
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: { readonly hint?: string; readonly exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'CommandFailure';
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}
