// ConfigMaps and Secrets in volumes: in memory, and changed below containers that run.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

import baseTest from 'ava';

import { configMap, container, pod, SLEEP, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const VOLUMES = [
  { name: 'settings', configMap: { name: 'settings' } },
  { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400, items: [{ key: 'private', path: 'deep/key' }] } },
];
const MOUNTS = [
  { name: 'settings', mountPath: '/settings' },
  { name: 'keys', mountPath: '/keys' },
];

function secret(privateKey: string): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys' },
    stringData: { private: privateKey, other: 'x' },
  };
}

function app(fields: ManifestObject = {}): ManifestObject {
  return pod('app', [container('main', { command: SLEEP, volumeMounts: MOUNTS, ...fields })], { volumes: VOLUMES });
}

async function inside(scene: AgentScene, script: string): Promise<string> {
  const { stdout, stderr } = await scene.berth('exec', 'app/main', 'sh', '-c', script);
  return stdout + stderr;
}

test(`a change reaches the container that runs, all files at once${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'configs');
  const declare = (value: string): void =>
    scene.write('apps.yaml', yaml(configMap('settings', { a: value, b: value }), secret(value), app()));
  declare('1');
  await scene.startAgent();
  await scene.ready('app');
  const { id } = scene.container('app/main') ?? {};
  t.is(await inside(scene, 'cat /settings/a /settings/b /keys/deep/key; ls /keys'), '111deep\n');
  t.is(
    await inside(scene, "stat -L -c '%a %u' /keys/deep/key; stat -f -c %T /keys /settings"),
    '400 0\ntmpfs\ntmpfs\n',
  );
  t.regex(await inside(scene, 'echo x > /settings/a; echo x > /keys/deep/key'), /Read-only.*\n.*Read-only/);

  const torn =
    'for i in $(seq 1 300); do cd -P /settings/..data; x=$(cat a) y=$(cat b); [ "$x$y" = 11 -o "$x$y" = 22 ] || echo torn; done; echo "$x$y"';
  const watching = inside(scene, torn);
  declare('2');
  await scene.until('the new content', async () =>
    (await inside(scene, 'cat /settings/a /settings/b /keys/deep/key')) === '222' ? true : undefined,
  );
  t.notRegex(await watching, /torn/);
  t.is(scene.container('app/main')?.id, id, 'nothing was started again');
  const steps = (await scene.journal()).filter(({ event, step }) => event === 'stepDone' && step === 'updateVolumes');
  t.is(steps.length, 1);
  t.regex((await scene.berth('plan', scene.source)).stdout, /^Nothing to do/);

  declare('3');
  await scene.endAgent('SIGKILL');
  await scene.startAgent();
  await scene.until('the content of another agent', async () =>
    (await inside(scene, 'cat /settings/a')) === '3' ? true : undefined,
  );
  t.is(scene.container('app/main')?.id, id);
});

test(`content in the environment, or by subPath, starts the container again${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'config-restart');
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }];
  const volumeMounts = [{ name: 'settings', mountPath: '/one', subPath: 'a' }];
  const declare = (value: string): void => {
    const containers = [container('env', { env }), container('part', { volumeMounts }), container('other')];
    scene.write(
      'apps.yaml',
      yaml(configMap('settings', { a: value }), pod('app', containers, { volumes: VOLUMES.slice(0, 1) })),
    );
  };
  declare('1');
  await scene.startAgent();
  await scene.ready('app');
  t.is((await scene.berth('exec', 'app/part', 'cat', '/one')).stdout, '1');
  const { id } = scene.container('app/other') ?? {};
  declare('2');
  await scene.until('the new content', async () =>
    (await scene.berth('exec', 'app/part', 'cat', '/one')).stdout === '2' ? true : undefined,
  );
  await scene.ready('app');
  t.is((await scene.berth('exec', 'app/env', 'sh', '-c', 'echo $A')).stdout, '2\n');
  t.is(scene.container('app/other')?.id, id);
});

test(`nothing of a Secret is on the disk, and nothing stays in memory${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'secret-memory');
  const value = `secret-${process.pid}-${Date.now()}`;
  const before = readdirSync('/dev/shm');
  scene.write('apps.yaml', yaml(configMap('settings', {}), secret(value), app()));
  await scene.startAgent();
  await scene.ready('app');
  t.is(await inside(scene, 'cat /keys/deep/key'), value);
  const places = [scene.places.state, `${scene.places.root}/pods`];
  const found = execFileSync('sh', ['-c', `grep -rlF ${value} ${places.join(' ')} || true`], { encoding: 'utf8' });
  t.is(found, '');
  scene.write('apps.yaml', yaml({ ...configMap('settings', {}) }));
  await scene.until('the pod to go', () => (scene.containers().length === 0 ? true : undefined));
  await scene.until('its memory to go', () => (readdirSync('/dev/shm').length === before.length ? true : undefined));
  t.deepEqual(readdirSync('/dev/shm'), before);
});
