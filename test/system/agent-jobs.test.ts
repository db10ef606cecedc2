// What is done is done: Jobs and pods that end, over kills of the agent, a reboot, and failures.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import { container, job, pod, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

/** Writes the pod's name into a file of the machine, then does `rest`. */
function writes(rest: string): ManifestObject {
  return container('main', {
    command: ['sh', '-c', `echo $POD >> /log/runs; ${rest}`],
    env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    volumeMounts: [{ name: 'log', mountPath: '/log' }],
  });
}

function logVolume(scene: AgentScene): ManifestObject {
  appendFileSync(join(scene.home, 'runs'), '');
  return { volumes: [{ name: 'log', hostPath: { path: scene.home } }] };
}

function runs(scene: AgentScene): string[] {
  return readFileSync(join(scene.home, 'runs'), 'utf8').trim().split('\n').toSorted();
}

/** What a reboot leaves: the root directory, and of the state directory, which is in memory, nothing. */
async function reboot(scene: AgentScene): Promise<void> {
  const { root, state } = scene.places;
  await scene.endAgent('SIGKILL');
  const kept = join(scene.home, 'kept');
  for (const name of ['desired', 'runs', 'pods']) cpSync(join(root, name), join(kept, name), { recursive: true });
  await scene.berth('reset', '--yes', '--time', '0');
  cpSync(kept, root, { recursive: true });
  rmSync(kept, { recursive: true });
  rmSync(state, { recursive: true });
  mkdirSync(state, { mode: 0o700 });
}

test(`a Job runs each of its pods to its end once, over kills of the agent and a reboot${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'job');
  const spec = { restartPolicy: 'Never', ...logVolume(scene) };
  scene.write(
    'apps.yaml',
    yaml(
      job('import', { completions: 3, parallelism: 2 }, [writes('sleep 1')], spec),
      pod('once', [writes('true')], { ...spec, restartPolicy: 'OnFailure' }),
    ),
  );
  await scene.startAgent();
  await scene.until('two pods to run', () => (runs(scene).length >= 3 ? true : undefined));
  await scene.endAgent('SIGKILL');
  await scene.until('all containers to end', () =>
    scene.containers().every(({ status }) => status === 'exited') ? true : undefined,
  );
  await scene.startAgent();
  await scene.ready('import', 'once');
  const expected = ['import-0', 'import-1', 'import-2', 'once'];
  t.deepEqual(runs(scene), expected);
  t.like(await scene.condition('import'), { reason: 'Completed', message: '3 of 3 pods ended well' });
  const views = JSON.parse((await scene.berth('get', 'job/import', '-o', 'json')).stdout) as ManifestObject;
  t.like(views, { kind: 'Job', name: 'import' });

  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  await scene.ready('import', 'once');
  await reboot(scene);
  t.deepEqual(scene.containers(), []);
  await scene.startAgent();
  await scene.ready('import', 'once');
  t.deepEqual(scene.containers(), [], 'nothing is left of the pods, and none is made again');
  t.deepEqual(runs(scene), expected, 'nothing ran twice');

  scene.write('apps.yaml', yaml({ apiVersion: 'v1', kind: 'List', items: [] }));
  const file = join(scene.places.root, 'runs', 'Job', 'default', 'import.json');
  await scene.until('the record to go', () => (existsSync(file) ? undefined : true));
});

test(`a Job fails when it has failed too often, or takes too long${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'job-fails');
  const spec = { restartPolicy: 'Never', ...logVolume(scene) };
  scene.write(
    'apps.yaml',
    yaml(
      job('bad', { backoffLimit: 0 }, [writes('exit 3')], spec),
      job('slow', { activeDeadlineSeconds: 1 }, [container('main')], { restartPolicy: 'Never' }),
      job('held', { suspend: true }, [container('main')], { restartPolicy: 'OnFailure' }),
      job('brief', { ttlSecondsAfterFinished: 1 }, [container('main', { command: ['true'] })], {
        restartPolicy: 'OnFailure',
      }),
    ),
  );
  await scene.startAgent();
  const ended = async (name: string) => {
    const condition = await scene.condition(name, 'Stalled');
    return condition?.status === 'True' ? condition : undefined;
  };
  t.like(await scene.until('bad to fail', () => ended('bad')), { reason: 'BackoffLimitExceeded' });
  t.like(await scene.until('slow to fail', () => ended('slow')), { reason: 'DeadlineExceeded' });
  t.like(scene.container('slow-0/main'), { status: 'exited' });
  t.like(await scene.condition('held'), { status: 'False', reason: 'Suspended' });
  t.is(scene.container('held-0/main'), undefined);
  await scene.ready('brief');
  await scene.until('what is left of brief to go', () =>
    scene.container('brief-0/main') === undefined ? true : undefined,
  );
  t.deepEqual(runs(scene), ['bad-0']);
  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  t.like(await scene.until('bad to have failed', () => ended('bad')), { reason: 'BackoffLimitExceeded' });
  await scene.ready('brief');
  t.deepEqual(runs(scene), ['bad-0'], 'what has failed for good is not tried again');
});
