// The commands on containers and images, as people and scripts call them, with and without an agent.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import type { ContainerView } from '../../src/cli/containers.ts';
import { container, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene, type CommandResult } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const IMAGE = 'localhost/busybox:1';
const SERVE = ['sh', '-c', 'trap "echo bye; exit 0" TERM; echo hello; sleep 1000000 & wait'];

async function withImage(scene: AgentScene): Promise<void> {
  const { code, stderr } = await scene.berth('image', 'import', join(scene.source, 'images', 'busybox.oci.tar'));
  if (code !== 0) throw new Error(stderr);
}

const run = (scene: AgentScene, ...args: readonly string[]): Promise<CommandResult> =>
  scene.berth('run', '--network', 'none', ...args);

async function ps(scene: AgentScene): Promise<ContainerView[]> {
  return JSON.parse((await scene.berth('ps', '-a', '-o', 'json')).stdout) as ContainerView[];
}

test(`run ends as the program does, and passes on what it is told${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'run');
  await withImage(scene);
  const data = join(scene.home, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'file'), 'from outside\n');

  t.deepEqual(await run(scene, '--rm', IMAGE, 'echo', '-n', 'hello'), { code: 0, stdout: 'hello', stderr: '' });
  t.is((await run(scene, '--rm', IMAGE, 'sh', '-c', 'exit 7')).code, 7);
  t.is((await run(scene, '--rm', IMAGE, 'sh', '-c', 'kill -KILL $$; true')).code, 0, 'PID 1 cannot kill itself');
  const flags = ['-e', 'A=1', '-w', '/tmp', '-u', 'nobody', '--hostname', 'box', '-v', `${data}:/data:ro`];
  const limits = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '20'];
  const script = 'echo $A $PWD $(id -u) $(hostname); cat /data/file; touch /data/no 2>/dev/null || echo read-only';
  const { code, stdout } = await run(scene, '--rm', ...flags, ...limits, IMAGE, 'sh', '-c', script);
  t.is(code, 0);
  t.is(stdout, '1 /tmp 65534 box\nfrom outside\nread-only\n');
  t.is((await run(scene, '--rm', '--entrypoint', 'echo', IMAGE, 'x')).stdout, 'x\n');
  t.deepEqual(await ps(scene), [], '--rm leaves nothing');
});

test(`run says what is wrong, and leaves nothing${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'run-wrong');
  await withImage(scene);
  const missing = await run(scene, IMAGE, 'no-such-program');
  t.is(missing.code, 1);
  t.regex(missing.stderr, /^berth: Cannot start container .*no-such-program.*ENOENT/);
  const user = await run(scene, '-u', 'nobody-here', IMAGE, 'true');
  t.regex(user.stderr, /^berth: Unknown user 'nobody-here'/);
  const volume = await run(scene, '-v', '/no/such:/data', IMAGE, 'true');
  t.regex(volume.stderr, /\/no\/such: there is no such file/);
  t.is((await run(scene, '-d', '-i', '-t', '--rm', '--bad', IMAGE)).code, 1);
  t.deepEqual(await ps(scene), []);
});

test(`a container in the background is seen, entered, stopped, started again and removed${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'background');
  await withImage(scene);
  const started = await run(scene, '-d', '--name', 'box', IMAGE, ...SERVE);
  t.regex(started.stdout, /^[0-9a-f]{32}\n$/);
  const [box] = await ps(scene);
  t.like(box, { name: 'box', status: 'running', owner: 'run', image: IMAGE, restarts: 0 });
  t.is((await run(scene, '-d', '--name', 'box', IMAGE)).code, 1, 'the name is taken');

  t.deepEqual(await scene.berth('exec', 'box', 'sh', '-c', 'echo in; exit 4'), { code: 4, stdout: 'in\n', stderr: '' });
  t.is(
    (await scene.berth('exec', '-u', 'nobody', '-w', '/tmp', 'box', 'sh', '-c', 'id -u; pwd')).stdout,
    '65534\n/tmp\n',
  );
  const [usage] = JSON.parse((await scene.berth('stats', '-o', 'json', 'box')).stdout) as { memoryBytes: number }[];
  t.true((usage?.memoryBytes ?? 0) > 0);
  t.regex((await scene.berth('tape', box?.id.slice(0, 8) ?? '')).stdout, /execve\(/);

  t.is((await scene.berth('rm', 'box')).code, 1, 'it runs');
  t.is((await scene.berth('stop', 'box')).stdout, 'box\n');
  t.like((await ps(scene))[0], { status: 'exited', exitCode: 0 });
  t.is((await scene.berth('start', 'box')).code, 0);
  t.like((await ps(scene))[0], { status: 'running', id: box?.id });
  await scene.until('it to trap SIGTERM again', async () =>
    (await scene.berth('logs', 'box')).stdout === 'hello\nbye\nhello\n' ? true : undefined,
  );
  t.is((await scene.berth('logs', '--tail', '2', 'box')).stdout, 'bye\nhello\n');
  const following = scene.berth('logs', '-f', 'box');
  t.is((await scene.berth('kill', '--signal', 'TERM', 'box')).code, 0);
  t.is((await following).stdout, 'hello\nbye\nhello\nbye\n', '-f ends with the container');
  t.is((await scene.berth('rm', 'box')).stdout, 'box\n');
  t.deepEqual(await ps(scene), []);
});

test(`images are imported, named, exported and pruned${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'images');
  await withImage(scene);
  const references = async (): Promise<string[]> => (await scene.berth('images', '-q')).stdout.trim().split('\n');
  t.deepEqual(await references(), [IMAGE]);
  t.is((await scene.berth('image', 'tag', IMAGE, 'localhost/other:2')).code, 0);
  t.deepEqual(await references(), [IMAGE, 'localhost/other:2']);
  const archive = join(scene.home, 'other.oci.tar');
  t.is((await scene.berth('image', 'export', 'localhost/other:2', archive)).code, 0);
  t.is((await scene.berth('image', 'rm', 'localhost/other:2', IMAGE)).code, 0);
  t.is((await scene.berth('image', 'rm', IMAGE)).code, 1);
  t.regex((await scene.berth('image', 'prune')).stdout, /^3 blobs and 1 layers deleted/);
  t.is((await scene.berth('image', 'import', archive)).code, 0);
  t.is((await run(scene, '--rm', 'localhost/other:2', 'echo', 'back')).stdout, 'back\n');
  const inspected = JSON.parse((await scene.berth('image', 'inspect', 'localhost/other:2')).stdout) as {
    digest: string;
  };
  t.regex(inspected.digest, /^sha256:/);
});

test(`prune keeps what a container runs from, whatever its names${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'prune');
  await withImage(scene);
  await run(scene, '-d', '--name', 'box', IMAGE, ...SERVE);
  await scene.berth('image', 'rm', IMAGE);
  t.regex((await scene.berth('image', 'prune')).stdout, /^0 blobs and 0 layers deleted/);
  t.is((await scene.berth('exec', 'box', 'ls', '/bin/sh')).stdout, '/bin/sh\n');
  await scene.berth('rm', '-f', 'box');
  t.regex((await scene.berth('image', 'prune')).stdout, /^3 blobs and 1 layers deleted/);
});

test(`commands tell of workloads with and without an agent, and leave them to their sources${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'workloads');
  const crash = ['sh', '-c', 'echo last words; exit 3'];
  scene.write('apps.yaml', yaml(pod('up', [container('main')]), pod('down', [container('main', { command: crash })])));
  await scene.startAgent();
  await scene.ready('up');
  const down = await scene.until('it to crash twice', () => {
    const one = scene.container('down/main');
    return one !== undefined && one.status === 'exited' && one.restarts > 0 ? one : undefined;
  });

  const why = await scene.berth('why', 'down');
  t.regex(why.stdout, /Ready +False CrashLoopBackOff/);
  t.regex(why.stdout, /exited \(3\)/);
  t.regex(why.stdout, /\| last words/);
  t.is((await scene.berth('logs', '-p', 'down')).stdout, 'last words\n');
  const stop = await scene.berth('stop', 'up');
  t.is(stop.code, 1);
  t.regex(stop.stderr, /Pod 'up' of a source keeps it/);
  t.is((await scene.berth('reset', '--yes')).code, 1, 'not below a running agent');
  t.is((await scene.berth('get', 'pods')).code, 0);
  t.regex((await scene.berth('events', 'up')).stdout, /stepDone startContainer +up\/main/);
  t.is((await scene.http('/readyz')).status, 200);

  await scene.endAgent('SIGTERM');
  const get = await scene.berth('get');
  t.regex(get.stderr, /no agent is running/);
  t.regex(get.stdout, /^Pod +default +up +\? +\? +1\/1/m);
  t.true(scene.containers().some(({ id, status }) => status === 'running' && id !== down.id));
});

test(`--once ends with 0 when all is as declared, with 1 and the reason when it cannot be${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'once');
  const once = (): Promise<CommandResult> =>
    scene.berth('agent', '--source', scene.source, '--once', '--listen', 'off', '--log-level', 'error');
  scene.write('apps.yaml', yaml(pod('up', [container('main')])));
  t.deepEqual(await once(), { code: 0, stdout: '', stderr: '' });
  t.is(scene.container('up/main')?.status, 'running', 'containers outlive the agent');

  scene.write(
    'apps.yaml',
    yaml(
      pod('up', [container('main')]),
      pod('bad', [container('main', { imagePullPolicy: 'Never', image: 'localhost/none:1' })]),
    ),
  );
  const { code, stderr } = await once();
  t.is(code, 1);
  t.regex(stderr, /^berth: Pod\/default\/bad: .*localhost\/none:1/m);
  t.notRegex(stderr, /default\/up/);
});

test(`a second agent is refused while the first one runs${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'second');
  scene.write('apps.yaml', yaml(pod('up', [container('main')])));
  await scene.startAgent();
  const { code, stderr } = await scene.berth('agent', '--source', scene.source, '--listen', 'off');
  t.is(code, 1);
  t.regex(stderr, /^berth: Another agent works with /m);
  t.true(scene.agentRuns);
});
