import { open } from 'node:fs/promises';
import { resolve } from 'node:path';

import { nearestName } from '../../spec/nearest-name.ts';
import type { VolumeName } from '../../oci/volume/volume-store.ts';
import { defineCommand, type Invocation } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { existingHost, hostOf } from '../open-host.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { formatSize } from '../output/quantities.ts';
import { formatTable } from '../output/table.ts';
import { diskBytes, parseVolumeName, volumeViews, type VolumeView } from '../volume-list.ts';

const options = {
  ...formatOption,
  'dry-run': { type: 'boolean', help: 'prune: say what would be deleted' },
} as const;

type Action = (invocation: Invocation<typeof options>, args: readonly string[]) => Promise<number>;

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;

const ACTIONS: Readonly<
  Record<string, { readonly takes: string; readonly min: number; readonly max: number; readonly run: Action }>
> = {
  ls: { takes: 'no argument', min: 0, max: 0, run: list },
  inspect: { takes: 'one volume', min: 1, max: 1, run: inspect },
  rm: { takes: 'one volume or more', min: 1, max: Infinity, run: remove },
  prune: { takes: 'no argument', min: 0, max: 0, run: prune },
  backup: { takes: 'a volume and a file', min: 2, max: 2, run: backUp },
  restore: { takes: 'a volume and a file', min: 2, max: 2, run: restore },
};

export const command = defineCommand({
  usage: [
    'volume ls [-o json|yaml]',
    'volume inspect [NAMESPACE/]NAME [-o json|yaml]',
    'volume rm [NAMESPACE/]NAME…',
    'volume prune [--dry-run]',
    'volume backup [NAMESPACE/]NAME FILE|-',
    'volume restore [NAMESPACE/]NAME FILE|-',
  ],
  description:
    'A volume is the directory of a PersistentVolumeClaim. backup writes a tar; restore makes a volume of one, where there is\n' +
    'none or an empty one. prune deletes what no container uses and no manifest that the agent knows declares.',
  options,
  examples: [
    'berth volume ls',
    'berth volume backup shop/data data.tar',
    'berth volume backup data - | ssh other berth volume restore data -',
  ],
  arguments: { min: 1, max: Infinity },
  run: async (invocation) => {
    const [name = '', ...args] = invocation.args;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const near = nearestName(name, Object.keys(ACTIONS));
      const hint = near === undefined ? 'berth volume --help' : `Did you mean 'berth volume ${near}'?`;
      throw new CommandFailure(`There is no 'berth volume ${name}'`, { hint });
    }
    if (args.length < action.min || args.length > action.max) {
      throw new CommandFailure(`berth volume ${name} takes ${action.takes}`, { hint: 'berth volume --help' });
    }
    return action.run(invocation, args);
  },
});

async function list({ values, globals, output }: Invocation<typeof options>): Promise<number> {
  const format = parseFormat(values.output);
  const host = existingHost(globals);
  const volumes = host === undefined ? [] : volumeViews(host);
  if (format === 'table') output.write(volumeTable(volumes));
  else await printStructured(output, format, volumes);
  return 0;
}

/** The table of `berth volume ls`. Pure. */
export function volumeTable(volumes: readonly VolumeView[]): string {
  const rows = volumes.map(({ namespace, name, usedBy, path }) => [namespace, name, usedBy.join(',') || '-', path]);
  return formatTable(['NAMESPACE', 'NAME', 'USED BY', 'PATH'], rows);
}

async function inspect({ values, globals, output }: Invocation<typeof options>, [word = '']: readonly string[]) {
  const format = parseFormat(values.output ?? 'json');
  const wanted = parseVolumeName(word);
  const host = existingHost(globals);
  const found = (host === undefined ? [] : volumeViews(host)).find(
    ({ namespace, name }) => namespace === wanted.namespace && name === wanted.name,
  );
  if (found === undefined) throw new CommandFailure(`There is no volume ${wanted.namespace}/${wanted.name}`);
  const view = { ...found, usedBytes: diskBytes(found.path) };
  await printStructured(output, format === 'table' ? 'json' : format, view);
  return 0;
}

async function remove({ globals, output }: Invocation, words: readonly string[]): Promise<number> {
  const { removeVolume } = await import('../../oci/volume/volume-store.ts');
  const host = hostOf(globals);
  for (const volume of words.map(parseVolumeName)) {
    await removeVolume(host, volume);
    output.line(`${volume.namespace}/${volume.name}`);
  }
  return 0;
}

async function prune({ values, globals, output }: Invocation<typeof options>): Promise<number> {
  const { removeVolume } = await import('../../oci/volume/volume-store.ts');
  const { declaredClaims } = await import('../../agent/declared-claims.ts');
  const host = hostOf(globals);
  const declared = await declaredClaims(globals.root);
  const unused = volumeViews(host).filter(
    ({ namespace, name, usedBy }) => usedBy.length === 0 && !declared.has(`${namespace}/${name}`),
  );
  let freed = 0;
  for (const { namespace, name, path } of unused) {
    freed += diskBytes(path);
    if (!values['dry-run']) await removeVolume(host, { namespace, name });
    output.line(`${namespace}/${name}`);
  }
  output.line(`${unused.length} volumes${values['dry-run'] ? ' would be' : ''} deleted, ${formatSize(freed)}`);
  return 0;
}

async function backUp({ globals, output }: Invocation, [word = '', file = '']: readonly string[]): Promise<number> {
  const { backUpVolume, writeVolume } = await import('../../oci/volume/volume-archive.ts');
  const volume = parseVolumeName(word);
  const host = hostOf(globals);
  if (file === '-' && output.isTerminal) {
    throw new CommandFailure('A backup is not for a terminal', { hint: 'Give a file, or redirect the output' });
  }
  const { changed } =
    file === '-' ? await writeVolume(host, volume, STANDARD_OUTPUT) : await backUpVolume(host, volume, resolve(file));
  noteChanges(output, volume, changed);
  return 0;
}

function noteChanges(output: Output, { namespace, name }: VolumeName, changed: readonly string[]): void {
  const [first] = changed;
  if (first === undefined) return;
  output.note(
    `berth: ${changed.length} files of ${namespace}/${name} changed meanwhile: ${first}; stop its pods for a backup at rest`,
  );
}

async function restore({ globals, output }: Invocation, [word = '', file = '']: readonly string[]): Promise<number> {
  const { restoreVolume } = await import('../../oci/volume/volume-archive.ts');
  const volume = parseVolumeName(word);
  const host = hostOf(globals);
  if (file === '-') await restoreVolume(host, volume, STANDARD_INPUT);
  else {
    await using archive = await open(resolve(file), 'r');
    await restoreVolume(host, volume, archive.fd);
  }
  output.line(`${volume.namespace}/${volume.name}`);
  return 0;
}
