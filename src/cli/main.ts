// berth: the command line. Exit codes: 0 done, 1 an error (or what the command says of itself); run and exec end as the program did.
import type { CatalogEntry } from './catalog.ts';
import type { Command } from './command.ts';
import { CommandFailure } from './failure.ts';
import { parseArguments } from './parse-arguments.ts';
import { flushed, processOutput, type Output } from './output/output.ts';
import { GLOBAL_OPTIONS, resolveGlobals } from './globals.ts';

const HELP_OPTIONS = {
  help: { type: 'boolean', short: 'h', help: 'Print help' },
  version: { type: 'boolean', help: 'Print the version' },
} as const;

async function main(argv: readonly string[], output: Output): Promise<number> {
  if (argv.length === 1 && argv[0] === '--version') return printVersion(output);
  const { findCommand } = await import('./find-command.ts');
  const found = findCommand(argv, GLOBAL_OPTIONS);
  if (found === undefined) return withoutCommand(argv, output);
  const { command } = await found.entry.load();
  return runCommand(command, { entry: found.entry, argv: found.argv, output });
}

async function withoutCommand(argv: readonly string[], output: Output): Promise<number> {
  const { values } = parseArguments(argv, { ...GLOBAL_OPTIONS, ...HELP_OPTIONS });
  if (values.version) return printVersion(output);
  const { mainHelp } = await import('./help.ts');
  if (values.help) output.write(mainHelp());
  else output.writeError(mainHelp());
  return values.help ? 0 : 1;
}

type Call = { readonly entry: CatalogEntry; readonly argv: readonly string[]; readonly output: Output };

async function runCommand(command: Command, { entry, argv, output }: Call): Promise<number> {
  const { min, max } = command.arguments;
  const options = { ...command.options, ...GLOBAL_OPTIONS, ...HELP_OPTIONS };
  const { values, args, rest } = parseArguments(argv, options, {
    programAfter: command.takesProgram === true ? max : undefined,
  });
  if (values.help) {
    const { commandHelp } = await import('./help.ts');
    output.write(commandHelp(entry, command));
    return 0;
  }
  const hint = `Usage: ${command.usage.map((line) => `berth ${line}`).join('\n       ')}`;
  if (args.length < min) throw new CommandFailure(`berth ${entry.name} needs more arguments`, { hint });
  if (args.length > max) throw new CommandFailure(`berth ${entry.name} takes no argument '${args[max]}'`, { hint });
  const globals = resolveGlobals(values, process.env);
  return command.run({ values, args, rest, globals, output });
}

async function printVersion(output: Output): Promise<number> {
  const { berthVersion } = await import('../agent/version.ts');
  output.line(`berth ${berthVersion()}`);
  return 0;
}

async function report(error: unknown, output: Output): Promise<number> {
  const { formatError } = await import('./format-error.ts');
  output.writeError(formatError(error, { debug: process.env['BERTH_DEBUG'] === '1' }));
  return error instanceof CommandFailure ? error.exitCode : 1;
}

const output = processOutput();
const exitCode = await main(process.argv.slice(2), output).catch((error: unknown) => report(error, output));
await flushed();
process.exit(exitCode);
