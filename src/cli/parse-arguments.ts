// A command line → values, arguments and the program that is to run. Pure.
import { nearestName } from '../spec/nearest-name.ts';
import type { Options, OptionSpec, Values } from './command.ts';
import { CommandFailure } from './failure.ts';

/** Not imported: that would read all that node:util exports, 4 ms of every command. */
const { parseArgs } = process.getBuiltinModule('node:util');

export type ParsedArguments<O extends Options> = {
  readonly values: Values<O>;
  readonly args: readonly string[];
  readonly rest: readonly string[];
};

export type ParseLimits = {
  /** The first arguments are the command's; everything behind them is not looked at. Undefined: all are. */
  readonly programAfter?: number | undefined;
};

/** Parse `argv`. Throws CommandFailure on an unknown option, and on a value that is missing or not wanted. */
export function parseArguments<O extends Options>(
  argv: readonly string[],
  options: O,
  { programAfter }: ParseLimits = {},
): ParsedArguments<O> {
  const cut = programAfter === undefined ? argv.length : programStart(argv, options, programAfter);
  const own = argv.slice(0, cut);
  const { tokens, positionals } = tokenize(own, options);
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const [name, option] of Object.entries(options)) values[name] = absent(option);
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName, options);
    const value = valueOf(token, option);
    const before = values[token.name];
    values[token.name] = Array.isArray(before) ? [...before, String(value)] : value;
  }
  const rest = argv.slice(cut);
  return { values: values as Values<O>, args: positionals, rest: rest[0] === '--' ? rest.slice(1) : rest };
}

type Token = NonNullable<ReturnType<typeof tokenize>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

function tokenize(argv: readonly string[], options: Options) {
  const types = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }) },
    ]),
  );
  return parseArgs({ args: [...argv], options: types, strict: false, allowPositionals: true, tokens: true });
}

/** Index of the first word behind the n-th argument. */
function programStart(argv: readonly string[], options: Options, count: number): number {
  const positionals = tokenize(argv, options).tokens.filter((token) => token.kind === 'positional');
  const last = positionals[count - 1];
  return last === undefined ? argv.length : last.index + 1;
}

function absent({ type, multiple }: OptionSpec): boolean | [] | undefined {
  if (multiple === true) return [];
  return type === 'boolean' ? false : undefined;
}

function valueOf({ rawName, value }: OptionToken, option: OptionSpec): boolean | string {
  if (option.type === 'boolean') {
    if (value !== undefined) throw new CommandFailure(`${rawName} takes no value, but was given '${value}'`);
    return true;
  }
  if (value === undefined) throw new CommandFailure(`${rawName} needs a value: ${rawName} ${option.value ?? 'VALUE'}`);
  return value;
}

function unknownOption(rawName: string, options: Options): CommandFailure {
  const names = Object.entries(options).flatMap(([name, { short }]) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  const near = nearestName(rawName, names);
  return new CommandFailure(`Unknown option ${rawName}`, near === undefined ? {} : { hint: `Did you mean ${near}?` });
}
