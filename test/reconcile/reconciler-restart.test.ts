import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { startAgent, temporary, web } from './agent-on-fake-machine.ts';
import { FakeMachine } from './fake-machine.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedSource } from './scripted-source.ts';

test('the old version serves, and is restarted, while the image of the new one is on its way', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.untilRunning('web/main');
  const hash = agent.machine.hashOf('web/main');
  const gate = Promise.withResolvers<void>();
  agent.machine.hanging.set('sha256:example.test/web:2', gate);
  agent.source.declare(web('2'));
  await agent.until(() => agent.machine.log.includes('pullImage example.test/web:2'));
  t.is(agent.condition('web', 'ImagesPulled'), 'False Pulling');

  agent.machine.exit('web/main', 1);
  agent.reconciler.look({ kind: 'Pod', namespace: 'default', name: 'web' });
  await agent.until(() => agent.machine.log.filter((line) => line === 'startContainer web/main').length === 2);
  t.is(agent.machine.hashOf('web/main'), hash, 'it is the old one that was started again');

  gate.resolve();
  await agent.until(() => agent.condition('web', 'Ready') === 'True Running');
  t.not(agent.machine.hashOf('web/main'), hash);
});

test('after a restart the agent runs what it ran, with no source and no registry', async (t) => {
  const directory = await temporary(t);
  const first = await startAgent(t, { directory });
  first.source.declare(web('1'), web('1', { name: 'db' }));
  await first.untilRunning('db/main', 'web/main');
  await first.stop();

  const { machine, clock } = first;
  machine.pods_ = [];
  machine.asked.length = 0;
  const second = await startAgent(t, { directory, machine, clock });
  await second.untilRunning('db/main', 'web/main');
  t.deepEqual(machine.asked, []);
});

test('after a restart amid a pull the version before it runs', async (t) => {
  const directory = await temporary(t);
  const first = await startAgent(t, { directory });
  first.source.declare(web('1'));
  await first.until(() => first.condition('web', 'Ready') === 'True Running');
  const hash = first.machine.hashOf('web/main');
  for (const tag of ['2', '3']) {
    first.machine.hanging.set(`sha256:example.test/web:${tag}`, Promise.withResolvers());
    first.source.declare(web(tag));
    await first.until(() => first.machine.log.includes(`pullImage example.test/web:${tag}`));
  }
  await first.stop();

  const { machine, clock } = first;
  machine.pods_ = [];
  const second = await startAgent(t, { directory, machine, clock });
  await second.untilRunning('web/main');
  t.is(machine.hashOf('web/main'), hash);
  machine.hanging.get('sha256:example.test/web:3')?.resolve();
  await second.until(() => second.condition('web', 'Ready') === 'True Running');
  t.not(machine.hashOf('web/main'), hash);
});

test('a torn record gives way to the one before it', async (t) => {
  const directory = await temporary(t);
  const first = await startAgent(t, { directory });
  first.source.declare(web('1'));
  await first.until(() => first.condition('web', 'Ready') === 'True Running');
  const hash = first.machine.hashOf('web/main');
  first.source.declare(web('2'));
  await first.until(() => first.saw('revisionAccepted').length === 2);
  await first.until(() => first.condition('web', 'Ready') === 'True Running');
  await first.stop();
  const current = join(directory, 'current.json');
  await writeFile(current, (await readFile(current, 'utf8')).replace('web:2', 'web:9'));

  const { machine, clock } = first;
  machine.pods_ = [];
  const second = await startAgent(t, { directory, machine, clock });
  await second.untilRunning('web/main');
  t.is(second.saw('recordFailed').length, 1);
  t.is(machine.hashOf('web/main'), hash);
});

test('nothing is pruned before every source has answered', async (t) => {
  const clock = new ManualClock();
  const machine = new FakeMachine(clock);
  const before = await startAgent(t, { machine, clock });
  before.source.declare(web('1'), web('1', { name: 'db' }));
  await before.untilRunning('db/main', 'web/main');
  await before.stop();

  const [one, two] = [new ScriptedSource('one'), new ScriptedSource('two')];
  const agent = await startAgent(t, { machine, clock, sources: [one, two] });
  one.declare(web('1'));
  await agent.until(() => agent.condition('web', 'Ready') === 'True Running');
  t.deepEqual(machine.running(), ['db/main', 'web/main']);
  two.declare(web('1', { name: 'cache' }));
  await agent.untilRunning('cache/main', 'web/main');
});

test('an empty source of a fresh agent removes nothing that runs', async (t) => {
  const clock = new ManualClock();
  const machine = new FakeMachine(clock);
  const before = await startAgent(t, { machine, clock });
  before.source.declare(web('1'));
  await before.untilRunning('web/main');
  await before.stop();
  const agent = await startAgent(t, { machine, clock });
  agent.source.files([]);
  await agent.until(() => agent.saw('revisionRefused').length === 1);
  t.deepEqual(machine.running(), ['web/main']);
});

test('a settled agent writes nothing', async (t) => {
  const directory = await temporary(t);
  const agent = await startAgent(t, { directory });
  agent.source.declare(web('1'));
  await agent.reconciler.settled();
  const current = () => readFile(join(directory, 'current.json'), 'utf8').catch(() => '');
  while (!(await current()).includes('"good":true')) await turn();
  await rm(directory, { recursive: true });
  agent.reconciler.lookAll();
  agent.source.push({ kind: 'unchanged', revision: 'r1' });
  await agent.until(() => agent.saw('sourceChecked').length === 1);
  await t.throwsAsync(readdir(directory), { code: 'ENOENT' });
});

test('an agent that dies before any step finds its way from where it was', async (t) => {
  for (let dieAt = 0; dieAt < 12; dieAt++) {
    const directory = await temporary(t);
    const clock = new ManualClock();
    const machine = new FakeMachine(clock);
    const first = await startAgent(t, { directory, machine, clock });
    first.source.declare(web('1'), web('1', { name: 'db' }));
    await first.untilRunning('db/main', 'web/main');
    let steps = 0;
    machine.beforeStep = () => {
      steps += 1;
      // What a dead agent asked for never happens.
      if (steps > dieAt) throw new Error('dead');
    };
    first.source.declare(web('2', { kind: 'Deployment', replicas: 2 }));
    await first.until(() => steps > dieAt || first.machine.running().join() === 'web-0/main,web-1/main');
    await first.stop();

    machine.beforeStep = () => {};
    const second = await startAgent(t, { directory, machine, clock });
    second.source.declare(web('2', { kind: 'Deployment', replicas: 2 }));
    await second.untilRunning('web-0/main', 'web-1/main');
    await second.until(() => machine.pods_.length === 2);
    await second.stop();
  }
  t.pass();
});

test('a boot writes nothing, and forgets no source', async (t) => {
  const directory = await temporary(t);
  const names = ['one', 'two'] as const;
  const sources = names.map((name) => new ScriptedSource(name));
  const first = await startAgent(t, { directory, sources });
  sources[0]?.declare(web('1'));
  sources[1]?.declare(web('1', { name: 'db' }));
  await first.untilRunning('db/main', 'web/main');
  await first.until(() => first.condition('db', 'Ready') === 'True Running');
  await first.stop();
  const path = join(directory, 'current.json');
  const text = await readFile(path, 'utf8');
  await rm(path);
  await writeFile(path, text);
  await rm(join(directory, 'previous.json'), { force: true });

  const { machine, clock } = first;
  const second = await startAgent(t, {
    directory,
    machine,
    clock,
    sources: names.map((name) => new ScriptedSource(name)),
  });
  await second.until(() => second.condition('db', 'Ready') === 'True Running');
  await second.stop();
  t.is(await readFile(path, 'utf8'), text);
  t.deepEqual(await readdir(directory), ['current.json']);
});

test('images of what runs, and of what ran before, are wanted', async (t) => {
  const agent = await startAgent(t);
  agent.source.declare(web('1'));
  await agent.reconciler.settled();
  agent.machine.hanging.set('sha256:example.test/web:2', Promise.withResolvers());
  agent.source.declare(web('2'));
  await agent.until(() => agent.condition('web', 'ImagesPulled') === 'False Pulling');
  t.deepEqual([...agent.reconciler.wantedDigests()].sort(), ['sha256:example.test/web:1', 'sha256:example.test/web:2']);
});
