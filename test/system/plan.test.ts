// `berth plan PATH` says what the agent does when PATH becomes its source: the same steps, for the same reasons, in the same
// order for each workload.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import type { PlanDocument } from '../../src/agent/control-protocol.ts';
import type { JournalEntry } from '../../src/reconcile/journal-entry.ts';
import { busyboxImage } from '../tools/image.ts';
import { configMap, container, deployment, pod, yaml, type ManifestObject } from './agent-manifests.ts';
import { scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';
import { registryContent, serveImages } from './agent-registry.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

type Steps = Readonly<Record<string, readonly string[]>>;
type Planned = {
  readonly code: number;
  readonly steps: Steps;
  readonly pulls: readonly string[];
  readonly text: string;
};

/** The plan for a directory that holds `text` alone. */
async function planFor(scene: AgentScene, text: string): Promise<Planned> {
  const directory = join(scene.home, 'next');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  writeFileSync(join(directory, 'apps.yaml'), text);
  const { code, stdout, stderr } = await scene.berth('plan', directory, '-o', 'json');
  if (code === 1) return { code, steps: {}, pulls: [], text: stderr };
  const { workloads } = JSON.parse(stdout) as PlanDocument;
  const all = workloads.flatMap(({ workload: { kind, namespace, name }, steps }) =>
    steps.map((step) => ({ workload: `${kind}/${namespace}/${name}`, ...step })),
  );
  const acting = all.filter(({ step }) => step !== 'lookAgain' && step !== 'pullImage');
  return {
    code,
    steps: byWorkload(acting.map((one) => ({ ...one, message: one.why }))),
    pulls: distinct(all.flatMap(({ step, image }) => (step === 'pullImage' && image !== undefined ? [image] : []))),
    text: stdout,
  };
}

/** What the journal says was done. */
function done(entries: readonly JournalEntry[]): { readonly steps: Steps; readonly pulls: readonly string[] } {
  const steps = byWorkload(entries.filter(({ event }) => event === 'stepDone'));
  return {
    steps,
    pulls: distinct(entries.flatMap(({ event, image }) => (event === 'imagePulled' ? [image ?? ''] : []))),
  };
}

type StepLine = Pick<JournalEntry, 'workload' | 'step' | 'pod' | 'container' | 'message'>;

function byWorkload(lines: readonly StepLine[]): Steps {
  const groups = Map.groupBy(lines, ({ workload }) => workload ?? '');
  const text = ({ step, pod: name, container: one, message }: StepLine): string =>
    `${step} ${name}${one === undefined ? '' : `/${one}`}: ${message}`;
  return Object.fromEntries([...groups].map(([workload, group]) => [workload, stopsSorted(group.map(text))]));
}

/** Neighbouring stops are done side by side, and end in any order. */
function stopsSorted(steps: readonly string[]): readonly string[] {
  const runs: string[][] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last?.[0]?.startsWith('stop') === true && step.startsWith('stop')) last.push(step);
    else runs.push([step]);
  }
  return runs.flatMap((run) => run.toSorted());
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

test(`the agent does what was planned, and nothing else${skipped}`, async (t) => {
  const content = registryContent();
  for (const version of ['1', '2'])
    content.put(version, busyboxImage({ config: { Cmd: ['true'], Labels: { version } } }));
  await using registry = await serveImages(content);
  const scene = newAgentScene(t, 'plan');
  const image = (tag: string): string => `${registry.host}/app:${tag}`;

  type World = { readonly tag: string; readonly replicas: number; readonly greeting: string; readonly extra: boolean };
  const documents = ({ tag, replicas, greeting, extra }: World): readonly ManifestObject[] => [
    configMap('greeting', { GREETING: greeting, 'page.html': greeting }),
    deployment('web', { replicas }, [container('main', { image: image(tag) })]),
    pod(
      'greeter',
      [
        container('reads', { image: image('1'), volumeMounts: [{ name: 'page', mountPath: '/page' }] }),
        container('beside', { image: image('1') }),
      ],
      { volumes: [{ name: 'page', configMap: { name: 'greeting' } }] },
    ),
    pod('constant', [container('main', { image: image('1') })], { hostNetwork: false }),
    ...(extra ? [pod('extra', [container('main', { image: image('1') })], { hostNetwork: false })] : []),
  ];

  /** Plan, apply, wait, compare; then there is nothing left to plan. */
  const applied = async (title: string, world: World, expected: { steps: number; pulls: number }): Promise<void> => {
    const text = yaml(...documents(world));
    const planned = await planFor(scene, text);
    t.is(planned.code, 2, `${title}: there is something to do`);
    t.is(Object.values(planned.steps).flat().length, expected.steps, `${title}: ${planned.text}`);
    t.is(planned.pulls.length, expected.pulls, title);
    const begin = (await scene.journal()).length;
    if (scene.agentRuns) await scene.afterRevision(() => scene.write('apps.yaml', text));
    else {
      scene.write('apps.yaml', text);
      await scene.startAgent();
    }
    await scene.until(`${title}: everything to be settled`, async () => {
      const workloads = (await scene.workloads()) ?? [];
      const settled = workloads.every(({ conditions }) => conditions.some((one) => one.reason === 'Running'));
      return settled && workloads.length === (world.extra ? 4 : 3) ? true : undefined;
    });
    // The journal is written a moment after what it tells of.
    const entries = await scene.until(`${title}: the journal`, async () => {
      const written = (await scene.journal()).slice(begin);
      return written.filter(({ event }) => event === 'stepDone').length >= expected.steps ? written : undefined;
    });
    t.deepEqual(done(entries), { steps: planned.steps, pulls: planned.pulls }, title);
    t.is((await planFor(scene, text)).code, 0, `${title}: nothing is left to do`);
    t.is((await scene.berth('plan')).code, 0, `${title}: the agent says so too`);
  };

  const first: World = { tag: '1', replicas: 3, greeting: 'ahoy', extra: true };
  await applied('first apply', first, { steps: 13, pulls: 1 });
  await applied('image change', { ...first, tag: '2' }, { steps: 9, pulls: 1 });
  await applied('two replicas fewer', { ...first, tag: '2', replicas: 1 }, { steps: 6, pulls: 0 });
  await applied('a document less', { ...first, tag: '2', replicas: 1, extra: false }, { steps: 3, pulls: 0 });
  const last: World = { tag: '2', replicas: 1, greeting: 'moored', extra: false };
  await applied('another content of a ConfigMap', last, { steps: 1, pulls: 0 });

  await scrape(t, scene);
  const before = scene.containers().map(({ id, pid }) => ({ id, pid }));
  const broken = yaml(...documents({ ...last, tag: '1' })).replace('"replicas"', '"replicsa"');
  const planned = await planFor(scene, broken);
  t.is(planned.code, 1, 'a broken manifest');
  t.regex(planned.text, /apps\.yaml:\d+:\d+.*\n(.*\n)*.*replicsa/);
  t.is((await scene.afterRevision(() => scene.write('apps.yaml', broken))).event, 'revisionRefused');
  const emptied = await planFor(scene, '');
  t.is(emptied.code, 1, 'an empty directory');
  t.regex(emptied.text, /Refusing to remove 3 workloads/);
  const refusal = await scene.afterRevision(() => rmSync(join(scene.source, 'apps.yaml')));
  t.like(refusal, { event: 'revisionRefused' });
  t.regex(refusal.message ?? '', /PruneRefused: Refusing to remove 3 workloads/);
  t.is((await scene.berth('plan')).code, 0, 'and the agent has nothing to do');
  t.deepEqual(
    scene.containers().map(({ id, pid }) => ({ id, pid })),
    before,
  );
});
