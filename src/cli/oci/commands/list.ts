// berth-oci list: every container, in the order of creation.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { listStates } from '../../../oci/runtime/state.ts';
import { formatTable } from '../../output/table.ts';
import { CommandFailure } from '../../failure.ts';
import { defineOciCommand } from '../command.ts';
import { stateDocument, type StateDocument } from '../state-document.ts';

export const command = defineOciCommand({
  usage: 'list [FLAGS]',
  summary: 'list the containers',
  options: {
    format: { type: 'string', short: 'f', value: 'table|json', help: 'default: table' },
    quiet: { type: 'boolean', short: 'q', help: 'ids only' },
  },
  arguments: { min: 0, max: 0 },
  run: async ({ values: { quiet, format = 'table' }, place: open }) => {
    if (format !== 'table' && format !== 'json') throw new CommandFailure(`Invalid format option: '${format}'`);
    const runtime = await open();
    const owner = ownerOf(join(runtime.stateDirectory, 'containers'));
    const documents = listStates(runtime.stateDirectory).map((state) => stateDocument(runtime, state, owner));
    process.stdout.write(formatList(documents, quiet ? 'ids' : format));
    return 0;
  },
});

/** What `list` prints, whole lines. Pure. */
export function formatList(documents: readonly StateDocument[], format: 'ids' | 'table' | 'json'): string {
  if (format === 'ids') return documents.map(({ id }) => `${id}\n`).join('');
  if (format === 'json') return `${documents.length === 0 ? 'null' : JSON.stringify(documents)}\n`;
  return formatTable(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], documents.map(rowOf));
}

function rowOf(each: StateDocument): string[] {
  return [each.id, String(each.pid), each.status, each.bundle, each.created, each.owner];
}

/** The name of the user to whom a directory belongs; `#1000` for one without. Empty when there is no directory. */
function ownerOf(directory: string): string {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return '';
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  const entry = entries.map((line) => line.split(':')).find(([, , uid]) => uid === String(stat.uid));
  return entry?.[0] ?? `#${stat.uid}`;
}
