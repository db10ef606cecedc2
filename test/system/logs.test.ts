// `berth logs` by time, on containers that an agent watches, that no agent watches, and that one watched at times.
import { setTimeout as sleep } from 'node:timers/promises';

import baseTest from 'ava';

import { container, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (.*)$/;

async function say(scene: AgentScene, name: string, line: string): Promise<number> {
  const { code, stderr } = await scene.berth('exec', name, 'sh', '-c', `echo ${line} >> /proc/1/fd/1`);
  if (code !== 0) throw new Error(stderr);
  return Date.now();
}

async function stamped(scene: AgentScene, ...args: readonly string[]): Promise<[number, string][]> {
  const { stdout } = await scene.berth('logs', '-t', ...args);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, time = '', text = ''] = STAMPED.exec(line) ?? [];
      return [Date.parse(time), text];
    });
}

async function lines(scene: AgentScene, ...args: readonly string[]): Promise<string[]> {
  const { stdout } = await scene.berth('logs', ...args);
  return stdout.split('\n').filter((line) => line !== '');
}

const iso = (time: number): string => new Date(time).toISOString();
const SLEEPER = ['sh', '-c', 'echo begin; trap "exit 0" TERM; sleep 1000000 & wait'];

test(`lines are found by the time at which they were written, also across a killed agent${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'logs');
  scene.write('pod.yaml', yaml(pod('scribe', [container('main', { command: SLEEPER })])));
  await scene.startAgent();
  await scene.ready('scribe');
  await sleep(2500);
  const one = await say(scene, 'scribe', 'one');
  await sleep(2500);
  const two = await say(scene, 'scribe', 'two');
  await scene.until(
    'the last line to be noted',
    async () => (await stamped(scene, 'scribe')).length === 3 || undefined,
  );
  const seen = await stamped(scene, 'scribe');
  t.deepEqual(
    seen.map(([, text]) => text),
    ['begin', 'one', 'two'],
  );
  // The time is that of the write, which was before the command ended.
  t.true((seen[1]?.[0] ?? 0) <= one && (seen[1]?.[0] ?? 0) > one - 2400, iso(one));
  t.deepEqual(await lines(scene, '--since', iso((seen[1]?.[0] ?? 0) + 1), 'scribe'), ['two']);
  t.deepEqual(await lines(scene, '--until', iso((seen[1]?.[0] ?? 0) + 1), 'scribe'), ['begin', 'one']);
  t.deepEqual(await lines(scene, '--since', '1h', '--until', iso(one), '--tail', '1', 'scribe'), ['one']);
  t.deepEqual(await lines(scene, '--since', iso(two + 60_000), 'scribe'), []);

  await scene.endAgent('SIGKILL');
  const unseen = await say(scene, 'scribe', 'unseen');
  await sleep(2500);
  const alsoUnseen = await say(scene, 'scribe', 'also unseen');
  const without = await scene.berth('logs', '--since', iso(unseen), 'scribe');
  t.is(without.stdout, 'unseen\nalso unseen\n', 'a line too many rather than one too few');
  t.regex(without.stderr, /No agent watched/);
  await scene.startAgent();
  await scene.ready('scribe');
  await say(scene, 'scribe', 'seen again');
  const all = await stamped(scene, 'scribe');
  t.deepEqual(
    all.map(([, text]) => text),
    ['begin', 'one', 'two', 'unseen', 'also unseen', 'seen again'],
  );
  t.deepEqual(all.slice(0, 3), seen, 'times of before the crash stay');
  t.true((all[3]?.[0] ?? 0) <= alsoUnseen && (all[3]?.[0] ?? 0) > unseen);
});

test(`following puts the time before each line as it comes, and ends with the container or the time${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'logs-follow');
  const script = 'echo first; for i in 1 2 3; do sleep 0.5; echo $i; done';
  scene.write(
    'pod.yaml',
    yaml(pod('short', [container('main', { command: ['sh', '-c', script] })], { restartPolicy: 'Never' })),
  );
  await scene.startAgent();
  await scene.until('the container', () => scene.container('short/main'));
  const followed = await stamped(scene, '-f', '--since', '1m', 'short');
  t.deepEqual(
    followed.map(([, text]) => text),
    ['first', '1', '2', '3'],
  );
  t.true(followed.every(([time], index) => time >= (followed[index - 1]?.[0] ?? 0)));
  t.true((followed[3]?.[0] ?? 0) - (followed[0]?.[0] ?? 0) >= 1000, 'not all of one moment');

  scene.write('long.yaml', yaml(pod('long', [container('main', { command: SLEEPER })])));
  await scene.ready('long');
  t.deepEqual(await lines(scene, '-f', '--until', iso(Date.now() + 1500), 'long'), ['begin']);
});

test(`a container of berth run has times as soon as an agent runs, and rough ones before${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'logs-run');
  await scene.berth('image', 'import', `${scene.source}/images/busybox.oci.tar`);
  await scene.berth('run', '-d', '--network', 'none', '--name', 'box', 'localhost/busybox:1', ...SLEEPER);
  await sleep(2500);
  await say(scene, 'box', 'unseen');
  const rough = await scene.berth('logs', '-t', 'box');
  t.regex(rough.stdout, /Z begin\n.*Z unseen\n$/);
  t.regex(rough.stderr, /No agent watched/);
  await scene.startAgent();
  await scene.berth('run', '-d', '--network', 'none', '--name', 'later', 'localhost/busybox:1', ...SLEEPER);
  await sleep(2500);
  await say(scene, 'later', 'seen');
  const exact = await scene.berth('logs', '-t', 'later');
  t.regex(exact.stdout, /Z begin\n.*Z seen\n$/);
  t.is(exact.stderr, '');
  const bad = await scene.berth('logs', '--since', 'yesterday', 'box');
  t.is(bad.code, 1);
  t.regex(bad.stderr, /--since takes how long ago/);
});
