import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { startAgent, web } from './agent-on-fake-machine.ts';
import { sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';
import { ScriptedSource } from './scripted-source.ts';

test('a crash loop is answered with growing pauses and delays no other workload', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.until(() => agent.condition('web', 'Ready') === 'True Running');
  const id = { kind: 'Pod', namespace: 'default', name: 'web' } as const;
  agent.machine.exit('web/main', 1);
  agent.reconciler.look(id);
  await agent.untilRunning('web/main');
  agent.machine.exit('web/main', 1);
  agent.reconciler.look(id);
  await agent.until(() => agent.condition('web', 'Ready') === 'False CrashLoopBackOff');
  agent.source.declare(web('1'), web('1', { name: 'db' }));
  await agent.untilRunning('db/main');
  agent.clock.advance(10_000);
  await agent.untilRunning('db/main', 'web/main');
  t.is(agent.machine.log.filter((line) => line === 'startContainer web/main').length, 3);
});

test('a start that fails is tried again after a pause, and takes no other container with it', async (t) => {
  const agent = await startAgent(t);
  const containers = ['bad', 'good'].map((name) => sampleContainer({ name }));
  agent.machine.failing.set('startContainer web/bad', new Error('no such file'));
  agent.source.declare(sampleWorkload({ pod: samplePod({ containers }) }));
  await agent.untilRunning('web/good');
  await agent.until(() => agent.condition('web', 'Ready') === 'False StepFailed');
  agent.machine.failing.clear();
  agent.clock.advance(10_000);
  await agent.untilRunning('web/bad', 'web/good');
  t.is(agent.machine.log.filter((line) => line === 'startContainer web/bad').length, 2);
});

test('a machine that cannot be observed is looked at again', async (t) => {
  const agent = await startAgent(t);
  agent.machine.observeError = new Error('EIO');
  agent.source.declare(web('1'));
  await agent.until(() => agent.saw('lookFailed').length > 0);
  agent.machine.observeError = undefined;
  agent.clock.advance(60_000);
  await agent.untilRunning('web/main');
  t.is(agent.condition('web', 'Stalled'), 'False NotStalled');
});

test('an effect that changes nothing does not become a busy loop', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  Object.assign(agent.machine.effects, { removeContainer: async () => {}, removeSandbox: async () => {} });
  agent.source.declare(web('1', { name: 'db' }));
  await agent.until(() => agent.clock.timers > 0);
  const looks = agent.saw('looked').length;
  for (let round = 0; round < 50; round++) await turn();
  t.is(agent.saw('looked').length, looks);
});

test('a source that breaks off is reported, and the others go on', async (t) => {
  const broken = new ScriptedSource('broken');
  broken.revisions = () => {
    throw new Error('a mistake');
  };
  const good = new ScriptedSource('good');
  const agent = await startAgent(t, { sources: [good, broken] });
  good.declare(web('1'));
  await agent.untilRunning('web/main');
  t.like(agent.saw('sourceFailed')[0], { source: 'broken', message: 'a mistake' });
});

test('settled does not wait for a crash loop, but for a rollout', async (t) => {
  const agent = await startAgent(t);
  agent.machine.failing.set('startContainer web/main', new Error('no such file'));
  agent.source.declare(web('1'));
  await agent.reconciler.settled();
  t.is(agent.condition('web', 'Ready'), 'False StepFailed');

  agent.source.declare(web('1', { kind: 'Deployment', name: 'app', replicas: 2 }));
  await agent.untilRunning('app-0/main', 'app-1/main');
  agent.source.declare(web('2', { kind: 'Deployment', name: 'app', replicas: 2 }));
  await agent.until(() => agent.condition('app', 'Progressing') === 'True RolloutPaused');
  let isSettled = false;
  const settled = agent.reconciler.settled().then(() => (isSettled = true));
  for (let round = 0; round < 20; round++) await turn();
  t.false(isSettled);
  agent.clock.advance(1000);
  await agent.until(() => agent.condition('app', 'Ready') === 'True Running');
  await settled;
});
