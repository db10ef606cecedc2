import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { startAgent, web } from './agent-on-fake-machine.ts';
import { sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

test('a revision is pulled, started and reported ready', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.until(() => agent.condition('web', 'Ready') === 'True Running');
  t.deepEqual(agent.machine.log, ['pullImage example.test/web:1', 'createSandbox web', 'startContainer web/main']);
  t.is(agent.condition('web', 'ImagesPulled'), 'True ImagesPresent');
  t.is(agent.condition('web', 'Progressing'), 'False Settled');
  t.is(agent.condition('web', 'Stalled'), 'False NotStalled');
});

test('a stuck pull delays no other workload, and a new revision pre-empts it', async (t) => {
  const agent = await startAgent(t);
  agent.machine.hanging.set('sha256:example.test/web:1', Promise.withResolvers());
  agent.source.declare(web('1'), web('3', { name: 'db' }));
  await agent.untilRunning('db/main');
  agent.source.declare(web('2'), web('3', { name: 'db' }));
  await agent.untilRunning('db/main', 'web/main');
  t.deepEqual(agent.saw('imagePullFailed'), [], 'an abort is no failure');
});

test('a pull that fails is tried again after a pause, and at once for a new revision', async (t) => {
  const agent = await startAgent(t);
  agent.machine.failing.set('pullImage example.test/web:1', new Error('connection reset'));
  agent.source.declare(web('1'));
  await agent.until(() => agent.condition('web', 'ImagesPulled') === 'False ImagePullBackOff');
  t.is(agent.saw('imagePullFailed').length, 1);
  agent.machine.failing.clear();
  agent.clock.advance(9_999);
  await turn();
  t.deepEqual(agent.machine.running(), []);
  agent.clock.advance(1);
  await agent.untilRunning('web/main');
});

test('an image that cannot be resolved leaves the old version alone', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  const error = Object.assign(new Error('no such tag'), { code: 'PLATFORM_UNAVAILABLE' });
  agent.machine.unresolvable.set('example.test/web:2', error);
  agent.source.declare(web('2'));
  await agent.until(() => agent.condition('web', 'Stalled') === 'True ImageUnresolved');
  t.deepEqual(agent.machine.running(), ['web/main']);
  t.is(agent.condition('web', 'Ready'), 'False Progressing');
  agent.source.declare(web('3'));
  await agent.until(() => agent.condition('web', 'Ready') === 'True Running');
});

test('a registry that takes its time over the second try is waited for, and nothing is done meanwhile', async (t) => {
  const agent = await startAgent(t);
  const reference = 'example.test/web:1';
  agent.machine.unresolvable.set(reference, new Error('no answer'));
  agent.source.declare(web('1'));
  await agent.until(() => agent.condition('web', 'ImagesPulled') === 'False ImageUnresolved');
  agent.machine.unresolvable.clear();
  const answer = Promise.withResolvers<void>();
  agent.machine.unanswered.set(reference, answer);
  agent.clock.advance(10_000);
  await agent.until(() => agent.machine.asked.length === 2);
  for (let count = 0; count < 20; count += 1) await turn();
  const looks = agent.saw('looked').length;
  for (let count = 0; count < 20; count += 1) await turn();
  t.is(agent.saw('looked').length, looks, 'it does not look again and again');
  t.is(agent.condition('web', 'ImagesPulled'), 'False ImageUnresolved', 'the last answer stays in sight');
  answer.resolve();
  await agent.untilRunning('web/main');
});

test('an image that is imported while its registry is asked does not wait for the answer', async (t) => {
  const agent = await startAgent(t);
  const reference = 'example.test/web:1';
  agent.machine.unanswered.set(reference, Promise.withResolvers());
  agent.source.declare(web('1'));
  await agent.until(() => agent.machine.asked.length === 1);
  agent.machine.unanswered.clear();
  agent.reconciler.lookAll();
  await agent.untilRunning('web/main');
  t.deepEqual(agent.saw('imageUnresolved'), [], 'and what was given up is no failure');
});

test('an image is resolved once for a template, whatever else a revision changes', async (t) => {
  const agent = await startAgent(t);
  const pod = samplePod({ containers: [sampleContainer({ imagePullPolicy: 'Always' })] });
  agent.source.declare(sampleWorkload({ pod }));
  await agent.untilRunning('web/main');
  agent.source.declare(sampleWorkload({ pod, labels: { team: 'x' } }), web('1', { name: 'db' }));
  await agent.untilRunning('db/main', 'web/main');
  t.deepEqual(
    agent.machine.asked.filter((line) => line.startsWith('Always')),
    ['Always example.test/web:1'],
  );
});

test('images that come with a source are imported once', async (t) => {
  const agent = await startAgent(t);
  const images = [{ path: '/src/images/web.oci.tar', version: '1' }];
  agent.source.push({ kind: 'revision', revision: 'a', files: [], images });
  agent.source.push({ kind: 'revision', revision: 'b', files: [], images });
  await agent.until(() => agent.saw('revisionAccepted').length === 2);
  t.deepEqual(agent.machine.imported, ['/src/images/web.oci.tar']);
});
