import type { AgentStatus } from '../../agent/control-protocol.ts';
import { defineCommand } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { oneLine } from '../output/printable.ts';
import { formatAge } from '../output/quantities.ts';
import { formatTable } from '../output/table.ts';
import { listPods, type PodView } from '../pod-list.ts';
import { listWorkloads, type WorkloadView } from '../workload-list.ts';

export const command = defineCommand({
  usage: ['get [KIND[/NAME]] [-n NAMESPACE] [-o json|yaml]'],
  description:
    'Kinds: workloads (default), deployments, daemonsets, statefulsets, jobs, pods (every pod on this machine), sources.\n' +
    'Conditions and sources come from the running agent; without one, what runs is shown all the same.',
  options: {
    namespace: { type: 'string', short: 'n', value: 'NAME', help: 'Only this namespace' },
    ...formatOption,
  },
  examples: ['berth get', 'berth get deployment/web -o yaml', 'berth get pods', 'berth get sources'],
  arguments: { min: 0, max: 1 },
  run: async ({ values, args: [what = 'workloads'], globals, output }) => {
    const format = parseFormat(values.output);
    const [word = '', name] = what.split('/');
    const kind = kindOf(word);
    const { agent, workloads } = await listWorkloads(globals);
    const wanted = <T extends { readonly namespace: string; readonly name: string }>(all: readonly T[]): readonly T[] =>
      chosen(all, { name, namespace: values.namespace, what });
    const answer: Answer =
      kind === 'source'
        ? { kind, items: agent?.sources ?? [] }
        : kind === 'pod'
          ? { kind, items: wanted(listPods(workloads)) }
          : {
              kind: 'workload',
              items: wanted(workloads.filter((one) => kind === 'workload' || one.kind === kind)),
            };
    if (agent === undefined) output.note('berth: no agent is running; conditions and sources are not known');
    await print(output, answer, { format, single: name !== undefined });
    return 0;
  },
});

type Answer =
  | { readonly kind: 'workload'; readonly items: readonly WorkloadView[] }
  | { readonly kind: 'pod'; readonly items: readonly PodView[] }
  | { readonly kind: 'source'; readonly items: AgentStatus['sources'] };

type Kind = 'workload' | 'Deployment' | 'DaemonSet' | 'StatefulSet' | 'Job' | 'pod' | 'source';

const KINDS: Readonly<Record<string, Kind>> = {
  workload: 'workload',
  deployment: 'Deployment',
  deploy: 'Deployment',
  daemonset: 'DaemonSet',
  ds: 'DaemonSet',
  statefulset: 'StatefulSet',
  sts: 'StatefulSet',
  job: 'Job',
  pod: 'pod',
  po: 'pod',
  source: 'source',
};

function kindOf(word: string): Kind {
  const lower = word.toLowerCase();
  const known = [lower, lower.replace(/s$/, '')].find((one) => Object.hasOwn(KINDS, one));
  const kind = KINDS[known ?? ''];
  if (kind !== undefined) return kind;
  throw new CommandFailure(`There is no kind '${word}'`, {
    hint: 'workloads, deployments, daemonsets, statefulsets, jobs, pods or sources',
  });
}

type Choice = {
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly what: string;
};

function chosen<T extends { readonly namespace: string; readonly name: string }>(
  all: readonly T[],
  { name, namespace, what }: Choice,
): readonly T[] {
  const found = all.filter(
    (one) => (name === undefined || one.name === name) && (namespace === undefined || one.namespace === namespace),
  );
  if (name !== undefined && found.length === 0) throw new CommandFailure(`There is no ${what}`);
  return found;
}

type Style = { readonly format: ReturnType<typeof parseFormat>; readonly single: boolean };

async function print(output: Output, { kind, items }: Answer, { format, single }: Style): Promise<void> {
  if (format !== 'table') return printStructured(output, format, single && items.length === 1 ? items[0] : items);
  switch (kind) {
    case 'workload':
      return output.write(workloadTable(items));
    case 'pod':
      return output.write(podTable(items, Date.now()));
    case 'source':
      return output.write(sourceTable(items, Date.now()));
  }
}

const SHOWN_REVISION = 12;

/** The table of workloads. Pure. */
export function workloadTable(workloads: readonly WorkloadView[]): string {
  const rows = workloads.map(({ kind, namespace, name, conditions, containers, revision }) => {
    const ready = conditions.find(({ type }) => type === 'Ready');
    const running = containers.filter(({ status }) => status === 'running').length;
    return [
      kind,
      namespace,
      name,
      ready?.status ?? '?',
      ready?.reason ?? '?',
      `${running}/${containers.length}`,
      revision === undefined ? '-' : shortRevision(revision),
      ready === undefined ? '' : oneLine(ready.message),
    ];
  });
  return formatTable(['KIND', 'NAMESPACE', 'NAME', 'READY', 'REASON', 'RUNNING', 'REVISION', 'MESSAGE'], rows);
}

function podTable(pods: readonly PodView[], now: number): string {
  const rows = pods.map(({ namespace, name, workload, ready, containers, restarts, createdAt, ip }) => [
    namespace,
    name,
    workload,
    `${ready}/${containers}`,
    String(restarts),
    formatAge(now - Date.parse(createdAt)),
    ip ?? '-',
  ]);
  return formatTable(['NAMESPACE', 'NAME', 'WORKLOAD', 'READY', 'RESTARTS', 'AGE', 'IP'], rows);
}

function sourceTable(sources: AgentStatus['sources'], now: number): string {
  const rows = sources.map(({ name, kind, revision, lastSuccess, problem }) => [
    oneLine(name),
    kind,
    revision === undefined ? '-' : shortRevision(revision),
    lastSuccess === undefined ? 'never' : `${formatAge(now - lastSuccess)} ago`,
    oneLine(problem ?? 'none'),
  ]);
  return formatTable(['SOURCE', 'KIND', 'REVISION', 'READ', 'PROBLEM'], rows);
}

/** The first digits of a commit, or of a digest. */
function shortRevision(revision: string): string {
  return revision.slice(revision.indexOf(':') + 1).slice(0, SHOWN_REVISION);
}
