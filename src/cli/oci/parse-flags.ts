// Flags as the programs above a runtime write them, which are Go's: `--flag value`, `--flag=value`, one dash or two, and a value
// may begin with a dash (`--memory-swap -1`). Pure.
import type { Options, OptionSpec, Values } from '../command.ts';
import { CommandFailure } from '../failure.ts';

export type ParsedFlags<O extends Options> = { readonly values: Values<O>; readonly args: readonly string[] };

/** Parse `argv`; with `flagsFirst` only up to the first argument. Throws CommandFailure on a flag that is unknown or incomplete. */
export function parseFlags<O extends Options>(
  argv: readonly string[],
  options: O,
  { flagsFirst = false }: { readonly flagsFirst?: boolean | undefined } = {},
): ParsedFlags<O> {
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const [name, option] of Object.entries(options)) values[name] = absent(option);
  const args: string[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const isFlag = word.startsWith('-') && word !== '-';
    if (word === '--' || (!isFlag && flagsFirst)) {
      args.push(...(word === '--' ? [] : [word]), ...words);
      break;
    }
    if (!isFlag) {
      args.push(word);
      continue;
    }
    const { name, option, value } = readFlag(word, words, options);
    const before = values[name];
    values[name] = option.multiple === true && Array.isArray(before) ? [...before, String(value)] : value;
  }
  return { values: values as Values<O>, args };
}

type Flag = { readonly name: string; readonly option: OptionSpec; readonly value: string | boolean };

/** One flag; its value is taken from `rest` where it is a word of its own. */
function readFlag(word: string, rest: string[], options: Options): Flag {
  const match = /^--?(?<spelling>[^=]+)(?:=(?<given>.*))?$/s.exec(word);
  const { spelling = '', given } = match?.groups ?? {};
  const entry = Object.entries(options).find(([name, { short }]) => name === spelling || short === spelling);
  if (entry === undefined) throw new CommandFailure(`Unknown flag: flag provided but not defined: -${spelling}`);
  const [name, option] = entry;
  if (option.type === 'boolean') return { name, option, value: readBoolean(spelling, given) };
  const value = given ?? rest.shift();
  if (value === undefined) throw new CommandFailure(`Flag needs an argument: -${spelling}`);
  return { name, option, value };
}

function readBoolean(spelling: string, given: string | undefined): boolean {
  if (given === undefined || ['true', '1', 't'].includes(given.toLowerCase())) return true;
  if (['false', '0', 'f'].includes(given.toLowerCase())) return false;
  throw new CommandFailure(`Flag -${spelling} is true or false, not '${given}'`);
}

function absent({ type, multiple }: OptionSpec): boolean | [] | undefined {
  if (multiple === true) return [];
  return type === 'boolean' ? false : undefined;
}
