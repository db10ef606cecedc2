// The metrics of an agent follow what happens to its containers.
import baseTest from 'ava';

import { container, deployment, pod, yaml } from './agent-manifests.ts';
import { scrape, type Scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

function restarts(found: Scrape, pod: string): Readonly<Record<string, number>> {
  const own = found.get('container_restarts_total').filter(({ labels }) => labels['pod'] === pod);
  return Object.fromEntries(own.map(({ labels, value }) => [labels['container'] ?? '', value]));
}

test(`series come with containers, count their restarts, and go with them${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'metrics');
  const web = deployment('web', { replicas: 2, hostNetwork: false }, [
    container('main', { resources: { limits: { memory: '64Mi', cpu: '500m' } } }),
  ]);
  const pair = pod('pair', [container('one'), container('two')]);
  scene.write('apps.yaml', yaml(web, pair));
  await scene.startAgent();
  await scene.ready('web', 'pair');

  const before = await scrape(t, scene);
  t.deepEqual(restarts(before, 'pair'), { one: 0, two: 0 });
  const limits = before.get('container_spec_memory_limit_bytes').filter(({ labels }) => labels['pod'] === 'web-0');
  t.deepEqual(
    limits.map(({ value }) => value),
    [64 * 1024 * 1024],
  );
  const bridged = before.get('container_network_receive_bytes_total').filter(({ labels }) => labels['pod'] === 'web-0');
  t.deepEqual(
    bridged.map(({ labels }) => labels['interface']),
    ['eth0'],
  );
  const ready = before.get('berth_workload_condition').filter(({ labels }) => labels['type'] === 'Ready');
  t.deepEqual(
    ready
      .filter(({ value }) => value === 1)
      .map(({ labels }) => `${labels['workload']} ${labels['status']}`)
      .toSorted(),
    ['pair True', 'web True'],
  );

  process.kill(scene.container('pair/one')?.pid ?? 0, 'SIGKILL');
  await scene.until('the container to be started again', () =>
    scene.container('pair/one')?.restarts === 1 ? true : undefined,
  );
  await scene.ready('pair');
  t.deepEqual(restarts(await scrape(t, scene), 'pair'), { one: 1, two: 0 });

  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  await scene.ready('web', 'pair');
  const after = await scrape(t, scene);
  t.deepEqual(restarts(after, 'pair'), { one: 1, two: 0 }, 'the next agent goes on counting');
  const kube = after.get('kube_pod_container_status_restarts_total').filter(({ value }) => value === 1);
  t.like(kube, { length: 1, 0: { labels: { namespace: 'default', pod: 'pair', container: 'one' } } });

  scene.write('apps.yaml', yaml(web));
  await scene.until('the pod to go', () => (scene.containers().length === 2 ? true : undefined));
  const gone = await scrape(t, scene);
  const left = gone.names.filter((name) => gone.get(name).some(({ labels }) => labels['pod'] === 'pair'));
  t.deepEqual(left, [], 'nothing is told of what is gone');
  t.is(gone.get('berth_containers').find(({ labels }) => labels['state'] === 'running')?.value, 2);
});
