import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { readJournal } from '../../reconcile/journal.ts';
import { defineCommand } from '../command.ts';
import { withHealth } from '../container-health.ts';
import type { ContainerView } from '../containers.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { matches } from '../name-resolution.ts';
import { existingHost } from '../open-host.ts';
import { oneLine, printable } from '../output/printable.ts';
import { tailOffset } from '../tail-file.ts';
import { listWorkloads, type WorkloadView } from '../workload-list.ts';
import { eventTable, isAbout } from './events.ts';
import { statusText } from './ps.ts';

const LOG_LINES = 5;
const LOG_BYTES = 8192;
const EVENTS = 10;

export const command = defineCommand({
  usage: ['why NAME'],
  description:
    'NAME is a workload, a pod, a container or the beginning of an id: conditions, containers, last words, events.',
  options: {},
  examples: ['berth why web', 'berth why web-0/nginx'],
  arguments: { min: 1, max: 1 },
  run: async ({ args: [name = ''], globals, output }) => {
    const { agent, workloads } = await listWorkloads(globals);
    const host = existingHost(globals);
    const found = withHealth(matches(name, host === undefined ? [] : listContainers(host)), agent?.health);
    const about = workloads.filter((workload) => isNamed(workload, name) || holdsAny(workload, found));
    const journal = await readJournal(join(globals.root, 'journal'));
    const events = journal.filter((entry) => isAbout(entry, name) || about.some((one) => isAbout(entry, keyOf(one))));
    if (about.length === 0 && found.length === 0 && events.length === 0) {
      throw new CommandFailure(`Nothing is known of '${name}'`, {
        hint: 'berth get lists workloads; berth ps -a containers',
      });
    }
    for (const workload of about) output.write(explain(workload));
    if (agent === undefined) output.line('No agent is running: nothing is started again, and no source is followed.');
    const containers = found.length > 0 ? found : about.flatMap((workload) => workload.containers);
    for (const container of containers) output.write(await describe(container));
    if (events.length > 0) output.write(`\n${eventTable(events.slice(-EVENTS))}`);
    return 0;
  },
});

function keyOf({ kind, namespace, name }: WorkloadView): string {
  return `${kind}/${namespace}/${name}`;
}

function isNamed(workload: WorkloadView, name: string): boolean {
  const { namespace, name: own } = workload;
  return [own, `${namespace}/${own}`, keyOf(workload)].includes(name);
}

function holdsAny({ containers }: WorkloadView, found: readonly ContainerView[]): boolean {
  return containers.some(({ id }) => found.some((one) => one.id === id));
}

function explain(workload: WorkloadView): string {
  const { kind, namespace, name, conditions, source, revision } = workload;
  const from = source === undefined ? 'no source declares it' : `declared by ${source} at ${revision ?? '?'}`;
  const lines = conditions.map(
    ({ type, status, reason, message }) => `  ${type.padEnd(12)} ${status.padEnd(5)} ${reason}: ${oneLine(message)}\n`,
  );
  return `${kind} ${namespace}/${name}, ${oneLine(from)}\n${lines.join('')}`;
}

async function describe(container: ContainerView): Promise<string> {
  const { name, image, restarts } = container;
  const head = `${name}  ${statusText(container, Date.now())}, ${restarts} restarts, ${oneLine(image)}\n`;
  if (container.problem !== undefined) return `${head}  ${oneLine(container.problem)}\n`;
  if (container.status !== 'exited' || container.logFile === undefined) return head;
  const words = await lastLines(container.logFile);
  return `${head}${words.map((line) => `  | ${printable(line)}\n`).join('')}`;
}

async function lastLines(path: string): Promise<string[]> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return [];
  await using handle = file;
  const offset = await tailOffset(handle, LOG_LINES);
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size - offset, LOG_BYTES));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, Math.max(offset, size - LOG_BYTES));
  return buffer
    .subarray(0, bytesRead)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}
