// The help of berth-oci, made of what the commands say of themselves. Pure, but for loading them.
import type { Options } from '../command.ts';
import { formatTable } from '../output/table.ts';
import { OCI_COMMANDS } from './catalog.ts';
import type { OciCommand } from './command.ts';
import { GLOBAL_FLAGS } from './globals.ts';

/** What `berth-oci --help` prints. */
export async function mainHelp(): Promise<string> {
  const commands = await Promise.all(Object.entries(OCI_COMMANDS).map(async ([name, load]) => [name, await load()]));
  const rows = (commands as [string, { command: OciCommand }][]).map(([name, { command }]) => [name, command.summary]);
  return [
    'berth-oci [FLAGS] COMMAND\n\nAn OCI runtime with the command line of runc.\n',
    `Commands:\n${indented(rows)}`,
    `Flags:\n${indented(flagRows(GLOBAL_FLAGS))}`,
    'berth-oci COMMAND --help says more of a command.\n',
  ].join('\n');
}

/** What `berth-oci COMMAND --help` prints. */
export function commandHelp({ usage, summary, options }: OciCommand): string {
  const flags = flagRows(options);
  return `berth-oci [FLAGS] ${usage}\n\n${summary}\n${flags.length === 0 ? '' : `\n${indented(flags)}`}`;
}

function flagRows(options: Options): string[][] {
  return Object.entries(options).map(([name, { short, value, help }]) => [
    `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
}

function indented(rows: readonly (readonly string[])[]): string {
  const [first, ...rest] = rows;
  const table = first === undefined ? '' : formatTable(first, rest);
  return table.replaceAll(/^(?=.)/gm, '  ');
}
