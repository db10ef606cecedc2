// A hundred pods from one change, and their end.
import baseTest from 'ava';

import { container, deployment, yaml } from './agent-manifests.ts';
import { scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const REPLICAS = 100;

test(`a hundred pods from one change all run, and all go${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'scale');
  await scene.startAgent();
  await scene.until('the image to be imported', () => (/"images imported"/.test(scene.log) ? true : undefined));
  const begin = performance.now();
  scene.write('apps.yaml', many(REPLICAS));
  await scene.ready('many');
  t.log(`${REPLICAS} pods run after ${Math.round(performance.now() - begin)} ms`);
  const running = scene.containers().filter(({ status }) => status === 'running');
  t.is(new Set(running.map(({ pod }) => pod)).size, REPLICAS);
  t.is(new Set(running.map(({ pid }) => pid)).size, REPLICAS);
  await scrape(t, scene);

  const end = performance.now();
  scene.write('apps.yaml', many(0));
  await scene.until('all to go', () => (scene.containers().length === 0 ? true : undefined));
  t.log(`and are gone after ${Math.round(performance.now() - end)} ms`);
});

function many(replicas: number): string {
  const main = container('main', { command: ['sleep', '1000000'] });
  return yaml(deployment('many', { replicas, terminationGracePeriodSeconds: 0 }, [main]));
}
