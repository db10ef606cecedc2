import { resolve } from 'node:path';

import { requireImage } from '../bring-image.ts';
import { defineCommand, type Invocation } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { nearestName } from '../../spec/nearest-name.ts';
import { hostOf } from '../open-host.ts';
import { parseFormat, printStructured } from '../output/format.ts';
import { formatSize } from '../output/quantities.ts';

const options = {
  output: { type: 'string', short: 'o', value: 'json|yaml', help: 'inspect: the format (default json)' },
  name: { type: 'string', short: 'n', value: 'NAME', help: 'import: the name to give an archive of one image' },
} as const;

type Action = (invocation: Invocation<typeof options>, args: readonly string[]) => Promise<number>;

const ACTIONS: Readonly<Record<string, { readonly min: number; readonly max: number; readonly run: Action }>> = {
  inspect: { min: 1, max: 1, run: inspect },
  tag: { min: 2, max: 2, run: tag },
  rm: { min: 1, max: Infinity, run: remove },
  prune: { min: 0, max: 0, run: pruneStore },
  import: { min: 1, max: Infinity, run: importFiles },
  export: { min: 2, max: 2, run: exportFile },
  push: { min: 1, max: 2, run: push },
};

export const command = defineCommand({
  usage: [
    'image inspect IMAGE [-o json|yaml]',
    'image tag IMAGE NAME',
    'image rm NAME…',
    'image prune',
    'image import PATH… [--name NAME]',
    'image export IMAGE FILE',
    'image push IMAGE [NAME]',
  ],
  description:
    'import takes an OCI layout (a directory or a tar of one) or what docker save writes. rm forgets a name; prune then\n' +
    'deletes what no name and no container needs. push sends an image to the registry of its name, or of another.',
  options,
  examples: [
    'berth image import app.oci.tar',
    'berth image tag localhost/app:1 localhost/app:stable',
    'berth image export nginx:1.27 nginx.oci.tar',
    'berth image push localhost/app:1 registry.example.com/team/app:1',
    'berth image rm localhost/app:1 && berth image prune',
  ],
  arguments: { min: 1, max: Infinity },
  run: async (invocation) => {
    const [name = '', ...args] = invocation.args;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const near = nearestName(name, Object.keys(ACTIONS));
      throw new CommandFailure(`There is no 'berth image ${name}'`, {
        hint: near === undefined ? 'berth image --help' : `Did you mean 'berth image ${near}'?`,
      });
    }
    if (args.length < action.min || args.length > action.max) {
      throw new CommandFailure(`berth image ${name} takes ${argumentCount(action)}`, { hint: 'berth image --help' });
    }
    return action.run(invocation, args);
  },
});

function argumentCount({ min, max }: { readonly min: number; readonly max: number }): string {
  if (max === 0) return 'no argument';
  return max === Infinity ? 'one argument or more' : `${min} argument${min === 1 ? '' : 's'}`;
}

async function inspect({ values, globals, output }: Invocation<typeof options>, [reference = '']: readonly string[]) {
  const format = parseFormat(values.output ?? 'json');
  const image = requireImage(hostOf(globals), reference);
  await printStructured(output, format === 'table' ? 'json' : format, image);
  return 0;
}

async function tag({ globals }: Invocation, [reference = '', name = '']: readonly string[]): Promise<number> {
  const { findReference } = await import('../../oci/image/resolve.ts');
  const { tagImage } = await import('../../oci/image/image-index.ts');
  const { formatReference, parseReference } = await import('../../oci/image/reference.ts');
  const host = hostOf(globals);
  const entry = findReference(host.content, parseReference(reference));
  if (entry === undefined) throw new CommandFailure(`There is no image '${reference}' on this machine`);
  await tagImage(host.content, formatReference(parseReference(name)), entry);
  return 0;
}

async function remove({ globals, output }: Invocation, names: readonly string[]): Promise<number> {
  const { untagImage } = await import('../../oci/image/image-index.ts');
  const { formatReference, parseReference } = await import('../../oci/image/reference.ts');
  const host = hostOf(globals);
  let missing = 0;
  for (const name of names) {
    const reference = formatReference(parseReference(name));
    if (await untagImage(host.content, reference)) output.line(reference);
    else {
      missing += 1;
      output.note(`berth: There is no image '${name}' on this machine`);
    }
  }
  return missing === 0 ? 0 : 1;
}

async function pruneStore({ globals, output }: Invocation): Promise<number> {
  const { pruneImages } = await import('../../agent/prune-images.ts');
  const { blobs, layers, freedBytes } = await pruneImages(hostOf(globals));
  output.line(`${blobs.length} blobs and ${layers.length} layers deleted, ${formatSize(freedBytes)} of blobs freed`);
  return 0;
}

async function importFiles({ values, globals, output }: Invocation<typeof options>, paths: readonly string[]) {
  const { importImages } = await import('../../oci/image/import.ts');
  const { content: store, layers } = hostOf(globals);
  const { name } = values;
  if (name !== undefined && paths.length > 1) throw new CommandFailure('--name needs exactly one archive');
  for (const path of paths) {
    const images = await importImages(resolve(path), { store, layers, ...(name === undefined ? {} : { name }) });
    for (const { reference, digest } of images) output.line(`${reference}  ${digest}`);
  }
  return 0;
}

async function exportFile({ globals }: Invocation, [reference = '', path = '']: readonly string[]): Promise<number> {
  const { exportImage } = await import('../../oci/image/export.ts');
  const host = hostOf(globals);
  await exportImage(requireImage(host, reference), resolve(path), { store: host.content });
  return 0;
}

async function push({ globals, output }: Invocation, [source = '', destination = source]: readonly string[]) {
  const { pushImage } = await import('../../oci/image/push.ts');
  const { registryOptions } = await import('../../oci/image/registry/environment.ts');
  const { Interrupt } = await import('../interrupt.ts');
  using interrupt = new Interrupt();
  const registry = registryOptions(process.env);
  const { content: store } = hostOf(globals);
  const digest = await pushImage(source, destination, { store, registry, signal: interrupt.signal });
  output.line(`${destination}  ${digest}`);
  return 0;
}
