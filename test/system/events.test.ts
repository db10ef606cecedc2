// `berth events -f`: what the agent does, as it does it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import baseTest from 'ava';

import { container, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const BERTH = fileURLToPath(new URL('../../bin/berth', import.meta.url));

test(`every event is shown once, from the journal or as it happens${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'events');
  const none = await scene.berth('events', '-f');
  t.is(none.code, 1);
  t.regex(none.stderr, /No agent is running/);
  scene.write('one.yaml', yaml(pod('one', [container('main')])));
  await scene.startAgent();
  await scene.ready('one');

  const follower = spawn(BERTH, ['events', ...scene.options, '-f', '-n', '0', '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(follower, 'close') as Promise<[number]>;
  let text = '';
  follower.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await scene.until('the past', () => (text.includes('startContainer') ? true : undefined));
  scene.write('two.yaml', yaml(pod('two', [container('main')])));
  await scene.ready('two');
  await scene.until('the present', () => (/"startContainer","pod":"two"/.test(text) ? true : undefined));
  await scene.endAgent('SIGTERM');
  const [code] = await closed;
  t.is(code, 1, 'the agent has ended');
  const shown = text.trimEnd().split('\n');
  t.deepEqual(
    shown,
    (await scene.journal()).map((entry) => JSON.stringify(entry)),
  );
});
