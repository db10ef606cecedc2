// One workload in trouble is no other's: not a crash loop that is held back, and not a pull that takes its time.
import baseTest from 'ava';

import { busyboxImage } from '../tools/image.ts';
import { container, pod, yaml } from './agent-manifests.ts';
import { scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';
import { registryContent, serveImages } from './agent-registry.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

test(`a crash loop and a slow pull hold up nobody else${skipped}`, async (t) => {
  const content = registryContent();
  content.put('1', busyboxImage({ config: { Labels: { only: 'here' } }, compression: 'none' }));
  const letGo = Promise.withResolvers<void>();
  await using registry = await serveImages(content, ({ path, response, serve }) => {
    // The first byte of a layer, and then nothing for as long as the test says.
    if (!path.includes('/blobs/') || (content.blobs.get(path.split('/').at(-1) ?? '')?.length ?? 0) < 100_000)
      return serve();
    void letGo.promise.then(() => (response.destroyed ? undefined : serve()));
  });
  const scene = newAgentScene(t, 'backoff');
  const first = [
    pod('crashing', [container('main', { command: ['sh', '-c', 'exit 7'] })]),
    pod('slow', [container('main', { image: `${registry.host}/app:1` })]),
  ];
  scene.write('apps.yaml', yaml(...first));
  await scene.startAgent();
  const held = await scene.until('the crash loop to be held back', async () => {
    const condition = await scene.condition('crashing');
    return condition?.reason === 'CrashLoopBackOff' ? condition : undefined;
  });
  t.regex(held.message, /crashing\/main: ended with exit code 7/);
  t.is(scene.container('crashing/main')?.restarts, 1, 'the first end is answered at once, the second is not');
  const ended = Date.parse(scene.container('crashing/main')?.finishedAt ?? '');
  const crashing = (await scene.workloads())?.find(({ workload }) => workload.name === 'crashing');
  t.is(Math.floor(crashing?.nextLook ?? 0), ended + 10_000, 'ten seconds after its end it is started again');
  t.like(await scene.condition('slow', 'ImagesPulled'), { status: 'False', reason: 'Pulling' });

  scene.write('apps.yaml', yaml(...first, pod('prompt', [container('main')])));
  await scene.ready('prompt');
  t.is((await scene.condition('crashing'))?.reason, 'CrashLoopBackOff', 'it is still held back');
  t.is(scene.container('crashing/main')?.restarts, 1);
  t.like(await scene.condition('slow', 'ImagesPulled'), { reason: 'Pulling' });
  const pid = scene.container('prompt/main')?.pid;
  await scrape(t, scene);

  letGo.resolve();
  await scene.ready('slow');
  await scene.until('the crashing container to be started once more', () =>
    scene.container('crashing/main')?.restarts === 2 ? true : undefined,
  );
  t.is(scene.container('prompt/main')?.pid, pid);
});
