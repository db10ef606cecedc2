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
