// The agent is killed in the middle of things: containers go on, the next agent takes them over and knows what happened.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import baseTest from 'ava';

import { listSandboxes } from '../../src/oci/pod/sandbox.ts';
import { freePort } from '../../examples/quickstart/machine.ts';
import { container, deployment, pod, yaml } from './agent-manifests.ts';
import { scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const endsWith = (code: number): readonly string[] => ['sh', '-c', `trap "exit ${code}" TERM; sleep 1000000 & wait`];
const serves = (port: number): readonly string[] => [
  'sh',
  '-c',
  `echo moored > /tmp/index.html; exec httpd -f -p 127.0.0.1:${port} -h /tmp`,
];

test(`containers outlive the agent, and the next one knows what became of them${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'crash');
  const port = await freePort();
  scene.write(
    'apps.yaml',
    yaml(
      deployment('web', { replicas: 1 }, [container('httpd', { command: serves(port) })]),
      pod('two', [container('killed'), container('untouched')]),
      pod('well', [container('main', { command: endsWith(0) })], { restartPolicy: 'OnFailure' }),
      pod('badly', [container('main', { command: endsWith(5) })], { restartPolicy: 'OnFailure' }),
      pod('never', [container('main', { command: endsWith(3) })], { restartPolicy: 'Never' }),
      pod('bridged', [container('main')], { hostNetwork: false }),
    ),
  );
  await scene.startAgent();
  await scene.ready('web', 'two', 'well', 'badly', 'never', 'bridged');
  const before = pids(scene);

  t.is(await scene.endAgent('SIGKILL'), 'SIGKILL');
  t.deepEqual(pids(scene), before, 'every container runs on');
  t.is(await answer(port), 'moored');
  process.kill(before['two/killed'] ?? 0, 'SIGKILL');
  for (const name of ['well', 'badly', 'never']) process.kill(before[`${name}/main`] ?? 0, 'SIGTERM');
  const ended = ['two/killed', 'well/main', 'badly/main', 'never/main'];
  await scene.until('the four to end', () =>
    ended.every((name) => scene.container(name)?.status === 'exited') ? true : undefined,
  );
  const ps = JSON.parse((await scene.berth('ps', '-a', '-o', 'json')).stdout) as { name: string; exitCode?: number }[];
  const codes = Object.fromEntries(
    ps.flatMap(({ name, exitCode }) => (exitCode === undefined ? [] : [[name, exitCode]])),
  );
  t.deepEqual(
    codes,
    { 'two/killed': 137, 'well/main': 0, 'badly/main': 5, 'never/main': 3 },
    'ps needs no agent for it',
  );
  t.is(await answer(port), 'moored');

  const rest = scene.container('well/main')?.id;
  const journal = (await scene.journal()).length;
  await scene.startAgent();
  await scene.ready('web', 'two', 'well', 'badly', 'bridged');
  const after = pids(scene);
  for (const name of ['web-0/httpd', 'two/untouched', 'bridged/main']) t.is(after[name], before[name], name);
  t.is(scene.container('two/killed')?.restarts, 1);
  t.is(scene.container('badly/main')?.restarts, 1);
  t.like(scene.container('well/main'), { id: rest, status: 'exited', exitCode: 0, restarts: 0 });
  t.like(scene.container('never/main'), { status: 'exited', exitCode: 3, restarts: 0 });
  // The journal is written a moment after what it tells of.
  const starts = await scene.until('the journal to tell of both', async () => {
    const found = (await scene.journal()).slice(journal).filter(({ step }) => step === 'startContainer');
    return found.length >= 2 ? found : undefined;
  });
  t.deepEqual(starts.map(({ pod: name, container: one, message }) => `${name}/${one}: ${message}`).toSorted(), [
    'badly/main: ended with exit code 5',
    'two/killed: ended with exit code 137',
  ]);
  t.like(await scene.condition('never'), { status: 'False', reason: 'PodFailed' });
  await scrape(t, scene);
});

test(`an agent that is killed again and again in the middle of rollouts still arrives${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'kills');
  const seed = Number(process.env['BERTH_TEST_SEED'] ?? Date.now() % 1e6);
  t.log(`BERTH_TEST_SEED=${seed} repeats these moments`);
  const random = randomNumbers(seed);
  const delays: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    scene.write('apps.yaml', fourWorkloads(round));
    await scene.startAgent();
    await sleep(delays[delays.push(random() * LATEST_MS) - 1]);
    await scene.endAgent('SIGKILL');
  }
  t.log(`killed after ${delays.map(Math.round).join(', ')} ms`);
  await scene.startAgent();
  // What the last agent had accepted is ready at once; the newest version may still have to be read.
  const found = await scene.until('the newest version everywhere', async () => {
    await scene.ready('one', 'two', 'three', 'four');
    const all = scene.containers();
    return all.every(({ pid }) => runsVersion(pid, ROUNDS - 1)) ? all : undefined;
  });
  const names = found.map(({ pod: name, container: one }) => `${name}/${one}`).toSorted();
  t.deepEqual(names, ['four/a', 'four/b', 'one-0/main', 'three-0/main', 'three-1/main', 'two-0/main'], 'each once');
  t.deepEqual(busyCgroups(scene.places.cgroupParent), found.map(({ id }) => id).toSorted(), 'and nothing else runs');
  t.is(readdirSync(join(scene.places.root, 'pods')).length, 5, 'no pod is left of an earlier version');
  t.is(listSandboxes(scene.host).length, 5);
});

const ROUNDS = 20;
/** An agent that starts here has done nearly all of its work by then, and most of it from 100 ms on. */
const LATEST_MS = 300;

/** Two of them get a new sandbox with every version, the other two only new containers. */
function fourWorkloads(version: number): string {
  const env = [{ name: 'VERSION', value: String(version) }];
  const main = container('main', { env });
  return yaml(
    deployment('one', { replicas: 1 }, [main]),
    deployment('two', { replicas: 1, hostNetwork: false, hostname: `v${version}` }, [main]),
    deployment('three', { replicas: 2 }, [main]),
    pod('four', [container('a', { env }), container('b', { env })], { hostname: `v${version}` }),
  );
}

/** A generator after Lehmer (MINSTD): from 0 to 1. */
function randomNumbers(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Whether a process was given this version. */
function runsVersion(pid: number, version: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`VERSION=${version}`);
  } catch {
    return false; // it ended meanwhile
  }
}

/** The cgroups of `parent` that hold a process: one for each container. */
function busyCgroups(parent: string): string[] {
  const found = readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return (
        new RegExp(`:${parent}/(?:confined/)?([^/\n]+)`).exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? []
      );
    } catch {
      return []; // it ended meanwhile
    }
  });
  return [...new Set(found)].toSorted();
}

type Pids = Readonly<Record<string, number>>;

/** The containers that run, by name. */
function pids(scene: AgentScene): Pids {
  const running = scene.containers().filter(({ status }) => status === 'running');
  return Object.fromEntries(running.map(({ pod: name, container: one, pid }) => [`${name}/${one}`, pid]));
}

async function answer(port: number): Promise<string> {
  return (await (await fetch(`http://127.0.0.1:${port}/index.html`)).text()).trim();
}
