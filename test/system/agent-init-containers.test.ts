// Init containers before the others, sidecars beside them: in order, once, and known to an agent that comes later.
import baseTest from 'ava';

import { container, pod, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const VOLUMES = [{ name: 'work', emptyDir: {} }];
/** Appends a word to a file that the containers of the pod share. */
function writes(name: string, rest: string, fields: ManifestObject = {}): ManifestObject {
  const command = ['sh', '-c', `trap "exit 0" TERM; echo ${name} >> /shared/order; ${rest}`];
  return container(name, { command, volumeMounts: [{ name: 'work', mountPath: '/shared' }], ...fields });
}

test(`init containers run one after the other, then what they prepared is used${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'init');
  const initContainers = [
    writes('first', 'sleep 0.3'),
    writes('proxy', 'sleep 1000 & wait', { restartPolicy: 'Always' }),
    writes('second', 'sleep 0.3'),
  ];
  const main = writes('main', 'cat /shared/order; sleep 1000 & wait');
  scene.write('apps.yaml', yaml(pod('shop', [main], { initContainers, volumes: VOLUMES })));
  await scene.startAgent();
  await scene.ready('shop');
  t.is((await scene.berth('logs', 'shop/main')).stdout, 'first\nproxy\nsecond\nmain\n');
  t.like(scene.container('shop/first'), { status: 'exited', exitCode: 0 });
  t.like(scene.container('shop/proxy'), { status: 'running' });
  const before = scene.containers().map(({ id }) => id);

  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  await scene.ready('shop');
  t.deepEqual(
    scene.containers().map(({ id }) => id),
    before,
    'nothing that is done is done again',
  );

  scene.write('apps.yaml', yaml({ apiVersion: 'v1', kind: 'List', items: [] }));
  const removed = await scene.until('the pod to go', async () => {
    const steps = (await scene.journal()).filter(({ event, pod: name }) => event === 'stepDone' && name === 'shop');
    return steps.at(-1)?.step === 'removeSandbox' ? steps : undefined;
  });
  const stops = removed.filter(({ step }) => step === 'stopContainer').map(({ container: name }) => name);
  t.deepEqual(stops, ['main', 'proxy'], 'the sidecar is stopped last');
});

test(`an init container that fails is tried again, and keeps the others waiting${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'init-fails');
  const failing = [writes('failing', 'exit 3')];
  scene.write(
    'apps.yaml',
    yaml(
      pod('again', [writes('main', 'sleep 1000 & wait')], { initContainers: failing, volumes: VOLUMES }),
      pod('never', [container('main')], {
        initContainers: failing,
        volumes: VOLUMES,
        restartPolicy: 'Never',
      }),
    ),
  );
  await scene.startAgent();
  const held = await scene.until('the init container to be held back', async () => {
    const condition = await scene.condition('again');
    return condition?.reason === 'CrashLoopBackOff' ? condition : undefined;
  });
  t.regex(held.message, /again\/failing: ended with exit code 3/);
  await scene.until('the other pod to fail', async () =>
    (await scene.condition('never'))?.reason === 'PodFailed' ? true : undefined,
  );
  t.deepEqual(
    scene.containers().filter(({ container: name }) => name === 'main'),
    [],
  );
});

test(`a sidecar ends when the others have ended for good${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'sidecar');
  const initContainers = [container('log', { restartPolicy: 'Always' })];
  const job = pod('job', [container('main', { command: ['true'] })], { initContainers, restartPolicy: 'OnFailure' });
  scene.write('apps.yaml', yaml(job));
  await scene.startAgent();
  await scene.until('both to have ended', () =>
    scene.containers().every(({ status }) => status === 'exited') && scene.containers().length === 2 ? true : undefined,
  );
  t.like(scene.container('job/main'), { status: 'exited', exitCode: 0 });
  await scene.ready('job');
});
