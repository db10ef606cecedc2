// What a syscall tape is made of: plain data, made by pure functions, assembled into memory by assemble.ts.
//
//   block 'monitor'          block 'container'        block 'fail'
//   op, op, clone3 ──onZero──▶ op, op, … execve        write failure record, exit_group
//           │                     │ a negative result ─onError─▶
//           ▼ (a result above zero runs on)

/** An argument of a system call: a number, or something that lies in the tape's own memory. */
export type Argument =
  number | bigint | Value | Flags | Text | Bytes | Inside | Words | Result | Slot | Failure | ZoneRange;

/** A number with the word that a person reads for it (`AT_FDCWD`). */
export type Value = { readonly type: 'value'; readonly value: number | bigint; readonly show: string };
/** A number of bits that have names: printed as `MS_BIND|MS_REC`, when it is printed. */
export type Flags = {
  readonly type: 'flags';
  readonly value: number;
  readonly names: Readonly<Record<string, number>>;
};
/** A pointer to a NUL-terminated string. */
export type Text = { readonly type: 'text'; readonly text: string };
/** A pointer to bytes. The same object used twice is one place in memory, so one call can fill what another reads. */
export type Bytes = { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly show: string };
/** A pointer into bytes, some way from their start: where a call stores a part of a record. */
export type Inside = { readonly type: 'inside'; readonly of: Bytes; readonly offset: number };
/** A pointer to an array of 64-bit words: argv, an iovec, struct clone_args. */
export type Words = { readonly type: 'words'; readonly words: readonly Argument[]; readonly show: string };
/** The result of an earlier operation (the one that has it as `save`). Read by exactly one argument. */
export type Result = { readonly type: 'result'; readonly name: string };
/** A pointer to the argument that reads a result, for a call that stores it there itself: 8 bytes, zero until then. */
export type Slot = { readonly type: 'slot'; readonly name: string };
/** A pointer to the failure record: address of the operation that failed last, then its result (-errno). */
export type Failure = { readonly type: 'failure' };
/** Start or size of the memory of the blocks after a clone: what the parent's side may unmap. */
export type ZoneRange = { readonly type: 'zone'; readonly part: 'start' | 'size' };

export type Operation = {
  /** Name of the system call, as in its man page. */
  readonly call: string;
  readonly args: readonly Argument[];
  /** What it does, for a person: `mount proc on /proc`. */
  readonly what: string;
  /** Where the result goes. */
  readonly save?: Result;
  /** Block to go to on a negative result. Default `fail`; `next` goes on, `skip 2` past two more. */
  readonly onError?: string;
  /** Block to go to on zero: the child's side of a clone. Default: go on. */
  readonly onZero?: string;
  /** Should it return after all (a seccomp filter refuses it), its result is stored at address 0, which ends the process. */
  readonly returns?: 'never';
};

export type Block = {
  readonly label: string;
  /** `parent`: stays mapped in the process that started the tape. `child`: unmapped there after the clone. */
  readonly zone: 'parent' | 'child';
  readonly operations: readonly Operation[];
};

/** Blocks in the order of memory: execution starts at the first, and runs on from one into the next. */
export type Tape = { readonly name: string; readonly blocks: readonly Block[] };

/** Size of the failure record in bytes: address of the operation, negative error number. */
export const FAILURE_SIZE = 16;

export const text = (value: string): Text => ({ type: 'text', text: value });
export const bytes = (value: Uint8Array, show: string): Bytes => ({ type: 'bytes', bytes: value, show });
export const inside = (of: Bytes, offset: number): Inside => ({ type: 'inside', of, offset });
export const words = (value: readonly Argument[], show: string): Words => ({ type: 'words', words: value, show });
export const value = (number: number | bigint, show: string): Value => ({ type: 'value', value: number, show });
export const bits = (number: number, names: Flags['names']): Flags => ({ type: 'flags', value: number, names });
export const result = (name: string): Result => ({ type: 'result', name });
export const slot = (name: string): Slot => ({ type: 'slot', name });
export const zone = (part: ZoneRange['part']): ZoneRange => ({ type: 'zone', part });
export const FAILURE: Failure = { type: 'failure' };

/** The array of strings that execve(2) takes: pointers, then NULL. */
export function stringVector(strings: readonly string[]): Words {
  return words([...strings.map(text), 0], `[${strings.map((string) => JSON.stringify(string)).join(', ')}]`);
}
