// berth-oci: the command line of an OCI runtime, as runc's. Exit codes: the process's own, 128+n on a signal, 1 for an error (255 of
// exec, as with runc).
import type { Runtime, RuntimePlace } from '../oci/runtime/runtime.ts';
import type { OciCommand } from './oci/command.ts';
import { GLOBAL_FLAGS, logOptions, usesSystemd } from './oci/globals.ts';
import { parseFlags, type ParsedFlags } from './oci/parse-flags.ts';
import { openLog, type RuntimeLog } from './oci/runtime-log.ts';
import { CommandFailure } from './failure.ts';

const ROOT = '/run/berth-oci';
const HELP = { help: { type: 'boolean', short: 'h', help: 'print help' } } as const;

type Globals = ParsedFlags<typeof GLOBAL_FLAGS>['values'];

async function main(argv: readonly string[]): Promise<number> {
  const { values: globals, args } = parseFlags(argv, GLOBAL_FLAGS, { flagsFirst: true });
  const log = openLog(logOptions(globals));
  const [name, ...rest] = args;
  if (globals.version) return print((await import('./oci/version.ts')).versionText());
  if (name === undefined || globals.help || name === 'help') {
    process.stdout.write(await (await import('./oci/help.ts')).mainHelp());
    return 0;
  }
  let failureCode = 1;
  try {
    const command = await load(name);
    failureCode = command.failureCode ?? failureCode;
    log('debug', `berth-oci ${name}: ${JSON.stringify(rest)}`);
    return await runCommand(command, { argv: rest, globals, log });
  } catch (error) {
    const { errorText } = await import('./oci/error-text.ts');
    log('error', errorText(error));
    return error instanceof CommandFailure ? error.exitCode : failureCode;
  }
}

async function load(name: string): Promise<OciCommand> {
  const { OCI_COMMANDS } = await import('./oci/catalog.ts');
  const found = Object.hasOwn(OCI_COMMANDS, name) ? OCI_COMMANDS[name] : undefined;
  if (found === undefined) throw new CommandFailure(`Unknown command '${name}'; see berth-oci --help`);
  return (await found()).command;
}

type Call = { readonly argv: readonly string[]; readonly globals: Globals; readonly log: RuntimeLog };

async function runCommand(command: OciCommand, { argv, globals, log }: Call): Promise<number> {
  const { flagsFirst } = command;
  const { values, args } = parseFlags(argv, { ...command.options, ...HELP }, { flagsFirst });
  if (values.help) {
    process.stdout.write((await import('./oci/help.ts')).commandHelp(command));
    return 0;
  }
  const { min, max } = command.arguments;
  if (args.length < min || args.length > max)
    throw new CommandFailure(`${command.usage} takes ${count(min, max)}, and there are ${args.length}`, {
      exitCode: command.failureCode ?? 1,
    });
  const systemd = usesSystemd(globals);
  const runtime = (): Promise<Runtime> => openOciRuntime(globals, log);
  return command.run({ values, args, log, systemd, runtime, place: () => openPlace(globals) });
}

function count(min: number, max: number): string {
  const most = max === Infinity ? `${min} or more` : `${min} to ${max}`;
  return `${min === max ? min : most} argument${max === 1 ? '' : 's'}`;
}

async function openPlace({ root = ROOT }: Globals): Promise<RuntimePlace> {
  const { readCgroupLayout } = await import('../linux/cgroup/layout.ts');
  return { stateDirectory: root, cgroups: readCgroupLayout() };
}

async function openOciRuntime(globals: Globals, log: RuntimeLog): Promise<Runtime> {
  const { forbidDumps } = await import('../linux/prctl.ts');
  forbidDumps(); // what it makes may have the same user, and see it: nobody is to look into its memory
  const [{ openRuntime }, place] = await Promise.all([import('../oci/runtime/runtime.ts'), openPlace(globals)]);
  return openRuntime({ ...place, keepFilters: true, warn: (message) => log('warning', message) });
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  // The flags before the command: there is no log to write to.
  process.stderr.write(`berth-oci: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
