// What a command is: its words for people, its options, and what it does.
import type { Places } from '../agent/places.ts';
import type { UnpackMode } from '../oci/image/unpack-mode.ts';
import type { Output } from './output/output.ts';

export type OptionSpec = {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string;
  readonly help: string;
};

export type Options = Readonly<Record<string, OptionSpec>>;

/** Absent: `false` for a boolean, an empty list for one that may come several times, else undefined. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K]['type'] extends 'boolean'
    ? boolean
    : O[K]['multiple'] extends true
      ? readonly string[]
      : string | undefined;
};

export type Globals = Places & {
  /** `--unpack`, BERTH_UNPACK; undefined: auto. */
  readonly unpack: UnpackMode | undefined;
  /** `--log-level`, BERTH_LOG_LEVEL; undefined: info. */
  readonly logLevel: string | undefined;
};

export type Invocation<O extends Options = Options> = {
  readonly values: Values<O>;
  readonly args: readonly string[];
  /** What follows the arguments of a command that starts a program: the program and its own arguments. */
  readonly rest: readonly string[];
  readonly globals: Globals;
  readonly output: Output;
};

export type CommandDefinition<O extends Options> = {
  /** Without `berth`: `logs [OPTIONS] NAME`. One line a form. */
  readonly usage: readonly string[];
  /** What a person should know beyond the one line in the list of commands. */
  readonly description?: string;
  readonly options: O;
  readonly examples: readonly string[];
  /** How many arguments it takes. */
  readonly arguments: { readonly min: number; readonly max: number };
  /** After the arguments everything is a program and its arguments: `run IMAGE PROGRAM …`. */
  readonly takesProgram?: boolean;
  /** Resolves with the exit code. */
  readonly run: (invocation: Invocation<O>) => Promise<number>;
};

/** A command of whatever options. */
export type Command = CommandDefinition<Options>;

/** Define a command: inside, the values have the types that its options say. */
export function defineCommand<const O extends Options>(definition: CommandDefinition<O>): Command {
  // The parser gives `run` exactly the values that its own options describe.
  return definition as unknown as Command;
}
