// Which command a command line is about. Pure.
import { nearestName } from '../spec/nearest-name.ts';
import { CATALOG, type CatalogEntry } from './catalog.ts';
import type { Options } from './command.ts';
import { CommandFailure } from './failure.ts';

/** Not imported: that would read all that node:util exports, 4 ms of every command. */
const { parseArgs } = process.getBuiltinModule('node:util');

export type FoundCommand = {
  readonly entry: CatalogEntry;
  /** The command line without the command's name. */
  readonly argv: readonly string[];
};

/** The command named first, wherever global options stand. Undefined: none is named. Throws CommandFailure on an unknown one. */
export function findCommand(argv: readonly string[], globalOptions: Options): FoundCommand | undefined {
  const types = Object.fromEntries(Object.entries(globalOptions).map(([name, { type }]) => [name, { type }]));
  const { tokens } = parseArgs({
    args: [...argv],
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const named = tokens.find((token) => token.kind === 'positional');
  if (named === undefined) return undefined;
  const entry = CATALOG.find(({ name }) => name === named.value);
  if (entry === undefined) throw unknownCommand(named.value);
  return { entry, argv: [...argv.slice(0, named.index), ...argv.slice(named.index + 1)] };
}

function unknownCommand(name: string): CommandFailure {
  const near = nearestName(
    name,
    CATALOG.map((entry) => entry.name),
  );
  const hint = near === undefined ? 'berth --help lists the commands' : `Did you mean 'berth ${near}'?`;
  return new CommandFailure(`There is no command '${name}'`, { hint });
}
