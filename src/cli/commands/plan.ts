import { askAgent } from '../../agent/control-client.ts';
import { planDocument } from '../../agent/plan-document.ts';
import type { PlanDocument } from '../../agent/control-protocol.ts';
import { controlSocketPath } from '../../agent/places.ts';
import { defineCommand, type Globals } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { formatPlan } from '../format-plan.ts';
import { Interrupt } from '../interrupt.ts';
import { hostOf } from '../open-host.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';

const CHANGES = 2;

export const command = defineCommand({
  usage: ['plan [PATH] [-o json|yaml]'],
  description:
    'With PATH: what an agent would do if that file or directory were its only source; what is not declared there goes.\n' +
    'Without: what the running agent would do now. Exit code 0: nothing, 2: something, 1: an error.',
  options: { ...formatOption },
  examples: ['berth plan apps/', 'berth plan', 'berth plan apps/ -o json'],
  arguments: { min: 0, max: 1 },
  run: async ({ values, args: [path], globals, output }) => {
    const format = parseFormat(values.output);
    const document = path === undefined ? await planOfAgent(globals) : await planOfPath(path, globals);
    if (format === 'table') output.write(formatPlan(document));
    else await printStructured(output, format, document);
    if (document.workloads.some(({ steps }) => steps.length > 0)) return CHANGES;
    return document.workloads.some(({ problem }) => problem !== undefined) ? 1 : 0;
  },
});

async function planOfAgent(globals: Globals): Promise<PlanDocument> {
  const document = await askAgent(controlSocketPath(globals), { method: 'plan' });
  if (document !== undefined) return document;
  throw new CommandFailure('No agent is running', { hint: 'berth plan PATH shows what one would do with that source' });
}

async function planOfPath(path: string, globals: Globals): Promise<PlanDocument> {
  const { readManifestPaths } = await import('../read-manifest-paths.ts');
  const { loadManifests } = await import('../../spec/load.ts');
  const { formatManifestErrors } = await import('../../spec/format-error.ts');
  const { planFiles } = await import('../../agent/plan-files.ts');
  const { registryOptions } = await import('../../oci/image/registry/environment.ts');
  const files = await readManifestPaths([path]);
  const loaded = loadManifests(files);
  if ('errors' in loaded) {
    throw new CommandFailure(`${path} is not valid\n${formatManifestErrors(loaded.errors).trimEnd()}`);
  }
  using interrupt = new Interrupt();
  const candidate = { source: path, files, desired: loaded.desired };
  const options = { registry: registryOptions(process.env), signal: interrupt.signal };
  return planDocument(await planFiles(hostOf(globals), candidate, options));
}
