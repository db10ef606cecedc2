// Kinds that keep pods besides Pod and Deployment, run by a real agent.
import baseTest from 'ava';

import { container, deployment, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

/** The manifest of a Deployment as one of another kind, without what that kind does not have. */
function daemonSet(name: string): ManifestObject {
  const { spec, ...rest } = deployment(name, { replicas: 1 }, [container('main')]);
  const { replicas: _none, ...fields } = spec as ManifestObject & { readonly replicas: unknown };
  return { ...rest, kind: 'DaemonSet', spec: fields };
}

test(`a DaemonSet is one pod, also after a kill of the agent, and goes with its manifest${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'daemonset');
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
  scene.write('apps.yaml', yaml(namespace, daemonSet('node')));
  await scene.startAgent();
  await scene.ready('node');
  const [running, ...others] = scene.containers();
  t.like(running, { pod: 'node-0', owner: 'DaemonSet', status: 'running' });
  t.deepEqual(others, []);
  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  await scene.ready('node');
  t.deepEqual(
    scene.containers().map(({ id, pid }) => [id, pid]),
    [[running?.id, running?.pid]],
  );
  const shown = JSON.parse((await scene.berth('get', 'ds/node', '-o', 'json')).stdout) as ManifestObject;
  t.like(shown, { kind: 'DaemonSet', namespace: 'default', name: 'node' });
  scene.write('apps.yaml', yaml(namespace));
  await scene.until('the pod to go', () => (scene.containers().length === 0 ? true : undefined));
});

/** Each pod writes its name into a volume of its own, and is ready a little later. */
function statefulSet(replicas: number, word: string): ManifestObject {
  const command = ['sh', '-c', `trap "exit 0" TERM; echo ${word}-$HOSTNAME >> /data/names; sleep 1000000 & wait`];
  const main = container('main', { command, volumeMounts: [{ name: 'data', mountPath: '/data' }] });
  const { spec, ...rest } = deployment('db', { replicas, hostNetwork: false }, [main]);
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } };
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: claim }];
  return { ...rest, kind: 'StatefulSet', spec: { ...(spec as ManifestObject), volumeClaimTemplates } };
}

test(`a StatefulSet comes and goes in order, and its data stays${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'statefulset');
  scene.write('apps.yaml', yaml(statefulSet(3, 'one')));
  await scene.startAgent();
  await scene.until('the first pod', () => (scene.containers().length > 0 ? true : undefined));
  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  await scene.ready('db');
  const steps = async (step: string) =>
    (await scene.journal()).filter((entry) => entry.event === 'stepDone' && entry.step === step).map(({ pod }) => pod);
  const starts = await scene.until('the last start to be written down', async () => {
    const all = await steps('startContainer');
    return all.at(-1) === 'db-2' ? all.length : undefined;
  });
  // What the first agent did just before it was killed may be missing.
  t.deepEqual((await steps('createSandbox')).slice(-2), ['db-1', 'db-2']);

  scene.write('apps.yaml', yaml(statefulSet(2, 'two')));
  const updated = await scene.until('the update', async () => {
    const since = (await steps('startContainer')).slice(starts);
    return since.length === 2 ? since : undefined;
  });
  t.deepEqual(updated, ['db-1', 'db-0']);
  await scene.ready('db');
  const names = (await scene.berth('exec', 'db-1/main', '--', 'cat', '/data/names')).stdout;
  t.is(names, 'one-db-1\ntwo-db-1\n', "the volume is the pod's own, and outlives its container");

  scene.write('apps.yaml', yaml({ apiVersion: 'v1', kind: 'List', items: [] }));
  const removed = await scene.until('all to go', async () => {
    const gone = await steps('removeSandbox');
    return gone.length === 3 ? gone : undefined;
  });
  t.deepEqual(removed, ['db-2', 'db-1', 'db-0']);
  scene.write('apps.yaml', yaml(statefulSet(1, 'three')));
  await scene.ready('db');
  const kept = (await scene.berth('exec', 'db-0/main', '--', 'cat', '/data/names')).stdout;
  t.is(kept, 'one-db-0\ntwo-db-0\nthree-db-0\n');
});
