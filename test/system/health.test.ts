// Probes and lifecycle hooks of real containers, with real servers in them, and an agent that is killed in between.
import { setTimeout as sleep } from 'node:timers/promises';

import baseTest from 'ava';

import type { ContainerView } from '../../src/cli/containers.ts';
import { container, deployment, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const WAIT = 'trap "exit 0" TERM; sleep 1000000 & wait';
const sh = (script: string): readonly string[] => ['sh', '-c', script];
const OWN_NETWORK = { hostNetwork: false };
const QUICK = { periodSeconds: 1, failureThreshold: 2 };

async function runIn(scene: AgentScene, name: string, script: string): Promise<void> {
  const { code, stderr } = await scene.berth('exec', name, 'sh', '-c', script);
  if (code !== 0) throw new Error(stderr);
}

function isReady(scene: AgentScene, name: string, status: 'True' | 'False'): Promise<true> {
  return scene.until(`${name} to be ready: ${status}`, async () =>
    (await scene.condition(name))?.status === status ? true : undefined,
  );
}

function restarted(scene: AgentScene, name: string, times: number): Promise<ContainerView> {
  return scene.until(`${name} to have started ${times} times more`, () => {
    const view = scene.container(name);
    return view?.restarts === times && view.status === 'running' ? view : undefined;
  });
}

/** Wait until the journal has these changes of health, in this order: it is written behind what it tells of. */
function healthEvents(scene: AgentScene, ...expected: readonly string[]): Promise<true> {
  return scene.until(expected.join(', '), async () => {
    const events = (await scene.journal()).filter(({ event }) => event === 'healthChanged');
    const found = events.map(({ message = '' }) => message.split(':')[0]);
    return JSON.stringify(found) === JSON.stringify(expected) ? true : undefined;
  });
}

test(`readiness by a web server on the pod's address comes and goes, and ends nothing${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'ready');
  const script = `mkdir /www; httpd -p 8080 -h /www; ${WAIT}`;
  const readinessProbe = { httpGet: { port: 'web', path: '/ok' }, ...QUICK };
  const ports = [{ name: 'web', containerPort: 8080 }];
  scene.write(
    'pod.yaml',
    yaml(pod('web', [container('main', { command: sh(script), ports, readinessProbe })], OWN_NETWORK)),
  );
  await scene.startAgent();
  const { id } = await scene.until('the container', () => scene.container('web/main'));
  const refused = await scene.until('the verdict', async () => {
    const condition = await scene.condition('web');
    return condition?.reason === 'NotReady' ? condition : undefined;
  });
  t.regex(refused.message, /web\/main: readiness probe: HTTP status 404/);
  t.regex((await scene.berth('ps')).stdout, /web\/main .* running \w+, not ready/);
  t.regex((await scene.berth('why', 'web/main')).stdout, /readiness probe: HTTP status 404/);
  await runIn(scene, 'web', 'echo fine > /www/ok');
  await isReady(scene, 'web', 'True');
  t.like(JSON.parse((await scene.berth('ps', '-o', 'json')).stdout), [{ id, ready: true }]);
  const metrics = (await scene.http('/metrics')).text;
  t.regex(metrics, /^container_health_state\{.*name="web\/main".*\} 1$/m);
  t.regex(metrics, /^berth_probe_total\{.*probe_type="Readiness".*result="failed".*\} [1-9]/m);
  t.regex(metrics, /^berth_start_phase_duration_seconds_count\{phase="ready"\} 1$/m);
  for (const phase of ['resolve', 'net', 'cgroup', 'spawn', 'mount']) {
    t.regex(metrics, new RegExp(`^berth_start_phase_duration_seconds_count\\{phase="${phase}"\\} [1-9]`, 'm'), phase);
  }
  await runIn(scene, 'web', 'rm /www/ok');
  await isReady(scene, 'web', 'False');
  await healthEvents(scene, 'unready', 'ready', 'unready');
  await scene.endAgent('SIGKILL');
  await runIn(scene, 'web', 'echo fine > /www/ok');
  await scene.startAgent();
  await isReady(scene, 'web', 'True');
  t.like(scene.container('web/main'), { id, restarts: 0 });
  await healthEvents(scene, 'unready', 'ready', 'unready', 'ready');
});

test(`a liveness probe that fails ends the container with its own grace, and it starts again${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'live');
  const script = 'trap "" TERM; touch /tmp/alive; while :; do sleep 1; done';
  const livenessProbe = {
    exec: { command: ['test', '-e', '/tmp/alive'] },
    ...QUICK,
    initialDelaySeconds: 1,
    terminationGracePeriodSeconds: 1,
  };
  const spec = { terminationGracePeriodSeconds: 600 };
  scene.write('pod.yaml', yaml(pod('app', [container('main', { command: sh(script), livenessProbe })], spec)));
  await scene.startAgent();
  await scene.ready('app');
  const before = scene.container('app/main');
  await sleep(2500);
  t.is(scene.container('app/main')?.id, before?.id, 'it lives');
  await scene.endAgent('SIGKILL');
  await runIn(scene, 'app', 'rm /tmp/alive');
  await scene.startAgent();
  const after = await restarted(scene, 'app/main', 1);
  t.not(after.id, before?.id);
  const stop = (await scene.journal()).find(({ step }) => step === 'stopContainer');
  t.regex(stop?.message ?? '', /liveness probe failed: exit code 1 of test -e/);
  scene.write('pod.yaml', yaml(pod('app', [container('main', { command: sh(WAIT) })])));
  await scene.until('the patient one to go', () => (scene.container('app/main')?.id === after.id ? undefined : true));
});

test(`a startup probe holds the others back, and ends what never starts${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'startup');
  const dead = { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 };
  const slow = {
    command: sh(`(sleep 3; touch /tmp/up) & ${WAIT}`),
    startupProbe: { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 1 },
  };
  const never = { command: sh(WAIT), startupProbe: dead };
  scene.write('slow.yaml', yaml(pod('slow', [container('main', slow)])));
  scene.write('never.yaml', yaml(pod('never', [container('main', never)], { restartPolicy: 'Never' })));
  await scene.startAgent();
  await scene.until('the first verdict', async () =>
    (await scene.condition('slow'))?.reason === 'AwaitingReadiness' ? true : undefined,
  );
  await scene.ready('slow');
  t.is(scene.container('slow/main')?.restarts, 0, 'liveness would have ended it');
  await scene.until('the end', () => (scene.container('never/main')?.status === 'exited' ? true : undefined));
  t.regex((await scene.berth('events', 'never')).stdout, /startup probe failed: exit code 1 of false/);
});

/** Two replicas that are ready when somebody listens on port 9000. */
function manifest(script: string): string {
  const readinessProbe = { tcpSocket: { port: 9000 }, ...QUICK };
  const fields = { command: sh(script), readinessProbe };
  return yaml(deployment('web', { replicas: 2, ...OWN_NETWORK }, [container('main', fields)]));
}

test(`a rollout goes on when the pods before are ready, and stays where they are not${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'rollout');
  const serve = (reply: string): string => `while :; do echo ${reply} | nc -l -p 9000 >/dev/null; done & ${WAIT}`;
  scene.write('web.yaml', manifest(serve('one')));
  await scene.startAgent();
  await scene.ready('web');
  const second = scene.container('web-1/main')?.id;
  scene.write('web.yaml', manifest(`echo never ready; ${WAIT}`));
  const paused = await scene.until('the pause', async () => {
    const condition = await scene.condition('web');
    return condition?.reason === 'NotReady' ? condition : undefined;
  });
  t.regex(paused.message, /web-0\/main: readiness probe: .*ECONNREFUSED/);
  t.is(scene.container('web-1/main')?.id, second, 'one replica still serves');
  scene.write('web.yaml', manifest(serve('two')));
  await scene.ready('web');
  t.not(scene.container('web-1/main')?.id, second);
});

test(`postStart and preStop run in the container, and a postStart that fails ends it${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'hooks');
  const log = (text: string) => ({ exec: { command: sh(`echo ${text} >> /proc/1/fd/1`) } });
  const lifecycle = { postStart: log('after the start'), preStop: log('before the end') };
  const fields = { command: sh(`echo begin; trap "echo end; exit 0" TERM; sleep 1000000 & wait`), lifecycle };
  const failing = { command: sh(WAIT), lifecycle: { postStart: { exec: { command: ['false'] } } } };
  scene.write('pod.yaml', yaml(pod('app', [container('main', fields)])));
  scene.write('bad.yaml', yaml(pod('bad', [container('main', failing)])));
  await scene.startAgent();
  await scene.ready('app');
  const bad = await scene.until('the failure', async () => {
    const condition = await scene.condition('bad', 'Ready');
    return condition?.message.includes('postStart') === true ? condition : undefined;
  });
  t.regex(bad.message, /postStart: exit code 1 of false/);
  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  // Another template: the container of before is ended as it was declared.
  scene.write(
    'pod.yaml',
    yaml(pod('app', [container('main', { ...fields, lifecycle: { preStop: { sleep: { seconds: 0 } } } })])),
  );
  await scene.until('the next container', () => (scene.container('app/main')?.status === 'running' ? true : undefined));
  const lines = await scene.until('all lines', async () => {
    const { stdout } = await scene.berth('logs', 'app');
    return stdout.includes('end\nbegin') || stdout.endsWith('end\nbegin\n') ? stdout : undefined;
  });
  t.is(lines, 'begin\nafter the start\nbefore the end\nend\nbegin\n');
});
