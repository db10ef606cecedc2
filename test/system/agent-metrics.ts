// What Prometheus sees of an agent: every scrape is read by promtool, and by a small reader of the text format.
import { spawnSync } from 'node:child_process';

import type { ExecutionContext } from 'ava';

import type { AgentScene } from './agent-process.ts';

export type Series = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type Scrape = { readonly get: (name: string) => readonly Series[]; readonly names: readonly string[] };

const PROMTOOL = spawnSync('promtool', ['--version']).status === 0;

/** Why promtool cannot have its say here; undefined when it can. */
export const promtoolMissing: string | undefined = PROMTOOL ? undefined : 'promtool is not installed';

/** A counter without `_total`, which promtool does not like; but that is its name on every board. */
const NAMED_BY_CADVISOR = 'container_memory_failcnt ';

/** Every container that runs has these, each with all the labels that tell it from others. */
const OF_EACH_CONTAINER = [
  'container_memory_working_set_bytes',
  'container_cpu_usage_seconds_total',
  'container_start_time_seconds',
  'container_last_seen',
  'container_processes',
];
const LABELS = ['id', 'name', 'image', 'namespace', 'pod', 'container'];

/** Scrape, let promtool check it where it is installed, and compare with what runs: one series a container, fully labelled. */
export async function scrape(t: ExecutionContext, scene: AgentScene): Promise<Scrape> {
  const { status, text } = await scene.http('/metrics');
  t.is(status, 200);
  if (PROMTOOL) {
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !line.startsWith(NAMED_BY_CADVISOR));
    t.deepEqual(said, []);
  }
  const found = parseMetrics(text);
  const running = scene.containers().filter((one) => one.status === 'running');
  const names = running.map(({ namespace, pod, container }) => `${namespace}/${pod}/${container}`).toSorted();
  for (const metric of OF_EACH_CONTAINER) {
    const own = found.get(metric).filter(({ labels }) => labels['id'] !== '/');
    t.deepEqual(
      own.map(({ labels: l }) => `${l['namespace']}/${l['pod']}/${l['container']}`).toSorted(),
      names,
      metric,
    );
    const bare = own.filter(({ labels }) => LABELS.some((label) => (labels[label] ?? '') === ''));
    t.deepEqual(bare, [], `${metric}: each has ${LABELS.join(', ')}`);
  }
  return found;
}

/** The samples of the text exposition format, by metric name. */
export function parseMetrics(text: string): Scrape {
  const samples = text.split('\n').flatMap((line) => {
    const match = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/.exec(line);
    if (match?.groups === undefined) return [];
    const { name = '', labels = '', value = '' } = match.groups;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', quoted = '']) => [key, quoted]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
  const byName = Map.groupBy(samples, ({ name }) => name);
  return { get: (name) => byName.get(name) ?? [], names: [...byName.keys()] };
}
