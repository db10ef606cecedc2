import { formatManifestErrors } from '../../spec/format-error.ts';
import { loadManifests } from '../../spec/load.ts';
import type { ManifestError } from '../../spec/manifest-error.ts';
import { defineCommand } from '../command.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import { readManifestPaths } from '../read-manifest-paths.ts';

export const command = defineCommand({
  usage: ['validate PATH… [-o json|yaml]'],
  description:
    'Checks files and directories together, as one source. Exit code 0: valid; 1: mistakes, each as file:line:column.',
  options: { ...formatOption },
  examples: ['berth validate apps/', 'berth validate web.yaml', 'berth validate apps/ -o json'],
  arguments: { min: 1, max: Infinity },
  run: async ({ values, args, output }) => {
    const format = parseFormat(values.output);
    const files = await readManifestPaths(args);
    const loaded = loadManifests(files);
    const errors = 'errors' in loaded ? loaded.errors : [];
    const workloads = 'desired' in loaded ? loaded.desired.workloads.length : 0;
    if (format !== 'table') {
      await printStructured(output, format, {
        valid: errors.length === 0,
        workloads,
        errors: errors.map(errorDocument),
      });
    } else if (errors.length > 0) {
      output.writeError(formatManifestErrors(errors));
      output.note(count(errors.length, 'mistake'));
    } else {
      output.line(`${count(files.length, 'file')}, ${count(workloads, 'workload')}: valid`);
    }
    return errors.length === 0 ? 0 : 1;
  },
});

function errorDocument({ file, line, column, path, message }: ManifestError) {
  return { file, line, column, path, message };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
