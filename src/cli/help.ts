// The help of berth and of each command. Pure.
import { CATALOG, GROUPS, type CatalogEntry } from './catalog.ts';
import type { Command, Options } from './command.ts';
import { GLOBAL_OPTIONS } from './globals.ts';

const INTRODUCTION = `berth keeps the containers of this machine equal to what a directory or a Git repository says.

Usage: berth [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]
`;

/** `berth --help`. */
export function mainHelp(): string {
  const width = Math.max(...CATALOG.map(({ name }) => name.length));
  const groups = GROUPS.map((group) => {
    const lines = CATALOG.filter((entry) => entry.group === group).map(
      ({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`,
    );
    return `\n${group}\n${lines.join('')}`;
  });
  const options = optionLines({
    ...GLOBAL_OPTIONS,
    version: { type: 'boolean', help: 'Print the version' },
    help: { type: 'boolean', short: 'h', help: 'Print help, also of a command: berth COMMAND --help' },
  });
  return `${INTRODUCTION}${groups.join('')}\nGlobal options\n${options}`;
}

/** `berth COMMAND --help`. */
export function commandHelp({ summary }: CatalogEntry, command: Command): string {
  const { usage, description, options, examples } = command;
  const parts = [
    `${summary}.\n`,
    `Usage\n${usage.map((line) => `  berth ${line}\n`).join('')}`,
    ...(description === undefined ? [] : [`${description}\n`]),
    ...(Object.keys(options).length === 0 ? [] : [`Options\n${optionLines(options)}`]),
    `Examples\n${examples.map((line) => `  ${line}\n`).join('')}`,
    'Global options: see berth --help\n',
  ];
  return parts.join('\n');
}

function optionLines(options: Options): string {
  const rows = Object.entries(options).map(([name, { short, value, help }]) => {
    const head = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return { head, help };
  });
  const width = Math.max(...rows.map(({ head }) => head.length));
  return rows.map(({ head, help }) => `  ${head.padEnd(width)}  ${help}\n`).join('');
}
