// `-o`: a table for people, JSON or YAML for programs.
import { CommandFailure } from '../failure.ts';
import type { Output } from './output.ts';

export type Format = 'table' | 'json' | 'yaml';

const FORMATS: readonly Format[] = ['table', 'json', 'yaml'];

/** The option to spread into a command's own. */
export const formatOption = {
  output: { type: 'string', short: 'o', value: 'json|yaml', help: 'Print for programs: json or yaml' },
} as const;

/** What `-o` says. Throws CommandFailure on anything but table, json and yaml. */
export function parseFormat(text: string | undefined): Format {
  const format = FORMATS.find((one) => one === (text ?? 'table'));
  if (format === undefined) throw new CommandFailure(`-o takes json or yaml, not '${text}'`);
  return format;
}

/** Print a value as JSON (indented) or YAML. */
export async function printStructured(output: Output, format: 'json' | 'yaml', value: unknown): Promise<void> {
  if (format === 'json') {
    output.line(JSON.stringify(value, undefined, 2));
    return;
  }
  const { stringify } = await import('yaml');
  output.write(stringify(value, { aliasDuplicateObjects: false }));
}
