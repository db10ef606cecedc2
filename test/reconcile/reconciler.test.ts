import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { startAgent, web } from './agent-on-fake-machine.ts';
import { ScriptedSource } from './scripted-source.ts';

test('a change to one workload touches no other', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'), web('1', { name: 'db' }));
  await agent.untilRunning('db/main', 'web/main');
  const id = agent.machine.idOf('db/main');
  agent.source.declare(web('2'), web('1', { name: 'db' }));
  await agent.until(() => agent.machine.log.includes('stopContainer web/main'));
  await agent.until(() => agent.condition('web', 'Ready') === 'True Running');
  t.is(agent.machine.idOf('db/main'), id);
});

test('an invalid revision is reported and changes nothing', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  agent.source.files([{ path: 'web.json', text: '{ half' }]);
  await agent.until(() => agent.saw('revisionRefused').length === 1);
  t.like(agent.saw('revisionRefused')[0], { reason: 'Invalid', revision: 'r2' });
  t.deepEqual(agent.machine.running(), ['web/main']);
});

test('a source that fails changes nothing', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  agent.source.push({ kind: 'failed', code: 'SOURCE_MISSING', message: 'gone' });
  await agent.until(() => agent.saw('sourceFailed').length === 1);
  t.deepEqual(agent.machine.running(), ['web/main']);
});

test('a workload that is no longer declared is stopped and removed', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'), web('1', { name: 'db' }));
  await agent.untilRunning('db/main', 'web/main');
  agent.source.declare(web('1'));
  await agent.until(() => agent.saw('workloadGone').length === 1);
  t.deepEqual(agent.machine.running(), ['web/main']);
  t.deepEqual(
    agent.reconciler.status().map(({ workload }) => workload.name),
    ['web'],
  );
});

test('a source that suddenly says nothing removes nothing', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  agent.source.files([{ path: 'note.yaml', text: '# nothing\n---\n' }]);
  await agent.until(() => agent.saw('revisionRefused').length === 1);
  t.like(agent.saw('revisionRefused')[0], { reason: 'PruneRefused' });
  agent.source.files([]);
  await agent.until(() => agent.saw('revisionRefused').length === 2);
  t.deepEqual(agent.machine.running(), ['web/main']);
});

test('a document that declares nothing removes everything', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  agent.source.files([{ path: 'empty.json', text: '{"kind":"List","items":[]}' }]);
  await agent.until(() => agent.saw('workloadGone').length === 1);
  t.deepEqual(agent.machine.pods_, []);
});

test('with allowEmpty a source that says nothing removes everything', async (t) => {
  const agent = await startAgent(t, { allowEmpty: true });
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  agent.source.files([]);
  await agent.until(() => agent.saw('workloadGone').length === 1);
  t.deepEqual(agent.machine.pods_, []);
});

test('two sources that want one name: the first configured one keeps it', async (t) => {
  const [one, two] = [new ScriptedSource('one'), new ScriptedSource('two')];
  const agent = await startAgent(t, { sources: [one, two] });
  two.declare(web('2', { kind: 'Deployment', replicas: 2 }));
  await agent.untilRunning('web-0/main', 'web-1/main');
  one.declare(web('1', { name: 'web-1' }));
  await agent.until(() => agent.saw('workloadConflict').length === 1);
  for (let second = 0; second < 3; second++) {
    agent.clock.advance(1000);
    await turn();
  }
  await agent.untilRunning('web-1/main');
  t.is(agent.machine.pods_.length, 1);
});

test('a source whose own workloads want one name is refused', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1', { kind: 'Deployment', replicas: 2 }), web('1', { name: 'web-1' }));
  await agent.until(() => agent.saw('revisionRefused').length === 1);
  t.like(agent.saw('revisionRefused')[0], { reason: 'Conflict' });
});

test('settled is fulfilled when nothing is left to do', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1', { kind: 'Deployment', replicas: 3 }));
  await agent.reconciler.settled();
  t.deepEqual(agent.machine.running(), ['web-0/main', 'web-1/main', 'web-2/main']);
});

test('plans says what would be done, and does nothing', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.reconciler.settled();
  const before = agent.machine.log.length;
  t.deepEqual(await agent.reconciler.plans(), [
    {
      workload: { kind: 'Pod', namespace: 'default', name: 'web' },
      plan: { steps: [], waits: [] },
      problem: undefined,
    },
  ]);
  agent.machine.exit('web/main', 1);
  const [first] = await agent.reconciler.plans();
  t.deepEqual(
    first?.plan.steps.map((step) => step.do),
    ['removeContainer', 'startContainer'],
  );
  t.is(agent.machine.log.length, before);
});
