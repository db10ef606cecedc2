// Named volumes: data that outlives pods, and its way to other machines.
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import baseTest from 'ava';

import { cString } from '../../src/linux/at.ts';
import { lgetxattr, lsetxattr } from '../../src/linux/xattr.ts';
import { container, pod, SLEEP, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

function claim(name: string): ManifestObject {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec };
}

function user(name: string, script: string, fields: ManifestObject = {}): ManifestObject {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data', ...fields } }];
  const command = ['sh', '-c', `${script}; trap "exit 0" TERM; sleep 1000000 & wait`];
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  return pod(name, [container('main', { command, volumeMounts })], { volumes, securityContext: { runAsUser: 1234 } });
}

function volumeOf(scene: AgentScene, name = 'data'): string {
  return join(scene.places.root, 'volumes', 'default', name);
}

async function emptied(scene: AgentScene): Promise<void> {
  await scene.until('all pods to go', () => (scene.containers().length === 0 ? true : undefined));
}

test(`a claim keeps its data when its pod is replaced, and when it is no longer declared${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'claim');
  scene.write('apps.yaml', yaml(claim('data'), user('db', 'echo one >> /data/log')));
  await scene.startAgent();
  await scene.ready('db');
  scene.write('apps.yaml', yaml(claim('data'), user('db', 'echo two >> /data/log')));
  await scene.until('the second pod', () =>
    readFileSync(join(volumeOf(scene), 'log'), 'utf8') === 'one\ntwo\n' ? true : undefined,
  );
  await scene.ready('db');
  t.is(statSync(join(volumeOf(scene), 'log')).uid, 1234);
  t.is(statSync(volumeOf(scene)).mode & 0o7777, 0o777);

  const used = await scene.berth('volume', 'rm', 'data');
  t.like(used, { code: 1, stderr: 'berth: Cannot remove volume default/data: db/main has it mounted\n' });
  t.regex((await scene.berth('volume', 'ls')).stdout, /^default +data +db\/main +\/.*\/volumes\/default\/data\n/m);
  t.regex((await scene.berth('volume', 'prune')).stdout, /^0 volumes deleted/);

  scene.write('apps.yaml', yaml(claim('data'), user('other', 'cat /data/log; echo x > /data/log', { readOnly: true })));
  await scene.ready('other');
  t.regex((await scene.berth('logs', 'other/main')).stdout, /^one\ntwo\n.*Read-only file system\n$/);
  scene.write('apps.yaml', yaml(claim('data')));
  await emptied(scene);
  t.regex((await scene.berth('volume', 'prune')).stdout, /^0 volumes deleted/, 'the claim is declared');
  await scene.afterRevision(() => scene.write('apps.yaml', yaml(pod('idle', [container('main', { command: SLEEP })]))));
  await scene.ready('idle');
  t.is(readFileSync(join(volumeOf(scene), 'log'), 'utf8'), 'one\ntwo\n', 'what is no longer declared is kept');
  t.is((await scene.berth('volume', 'rm', 'data')).code, 0);
  t.false(existsSync(volumeOf(scene)));
  t.like(await scene.berth('volume', 'rm', 'data'), { code: 1, stderr: 'berth: There is no volume default/data\n' });
});

test(`a backup has owners, attributes, links and holes, and restores them${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'backup');
  const path = volumeOf(scene);
  mkdirSync(join(path, 'deep'), { recursive: true });
  writeFileSync(join(path, 'deep', 'file'), 'text', { mode: 0o640 });
  chownSync(join(path, 'deep', 'file'), 1000, 2000);
  lsetxattr(cString(join(path, 'deep', 'file')), cString('user.note'), Buffer.from('kept'));
  execFileSync('sh', ['-c', 'ln deep/file hard; ln -s /etc/passwd soft; truncate -s 64M hole; mkfifo pipe'], {
    cwd: path,
  });
  chownSync(path, 70, 70);
  const file = join(scene.home, 'data.tar');
  t.deepEqual(await scene.berth('volume', 'backup', 'data', file), { code: 0, stdout: '', stderr: '' });
  t.true(statSync(file).size < 100_000, 'holes take no place');
  t.is(statSync(file).mode & 0o777, 0o600);
  t.regex(
    (await scene.berth('volume', 'restore', 'data', file)).stderr,
    /volume default\/data: it is not empty; remove it/,
  );

  t.like(await scene.berth('volume', 'restore', 'shop/copy', file), { code: 0, stdout: 'shop/copy\n' });
  const copy = join(scene.places.root, 'volumes', 'shop', 'copy');
  t.is(
    execFileSync('diff', ['-r', '--no-dereference', join(path, 'deep'), join(copy, 'deep')], { encoding: 'utf8' }),
    '',
  );
  const [stat, hole] = [statSync(join(copy, 'hard')), statSync(join(copy, 'hole'))];
  t.like(stat, { uid: 1000, gid: 2000, nlink: 2 });
  t.is(lgetxattr(cString(join(copy, 'hard')), cString('user.note'))?.toString(), 'kept');
  t.like(hole, { size: 64 * 1024 * 1024, blocks: 0 });
  t.true(statSync(join(copy, 'pipe')).isFIFO());
  t.is(statSync(copy).uid, 70);
  t.is((await scene.berth('volume', 'rm', 'data', 'shop/copy')).code, 0);
});

test(`a restore that is killed or given a torn file leaves no volume${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'restore');
  const path = volumeOf(scene);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'large'), Buffer.alloc(4 << 20, 'x'));
  const file = join(scene.home, 'data.tar');
  await scene.berth('volume', 'backup', 'data', file);
  const whole = readFileSync(file);
  writeFileSync(join(scene.home, 'torn.tar'), whole.subarray(0, 2 << 20));
  const torn = await scene.berth('volume', 'restore', 'copy', join(scene.home, 'torn.tar'));
  t.is(torn.code, 1);
  t.regex(torn.stderr, /Cannot restore volume default\/copy: .*Unexpected EOF in archive/);
  t.false(existsSync(volumeOf(scene, 'copy')));

  const words = ['bin/berth', 'volume', ...scene.options, 'restore', 'copy', '-'];
  const [program = '', ...args] = words;
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin?.write(whole.subarray(0, 2 << 20));
  const staging = join(path, '..', '.copy.restored', 'large');
  await scene.until('half of it to be unpacked', () => (existsSync(staging) ? true : undefined));
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.false(existsSync(volumeOf(scene, 'copy')));
  t.regex((await scene.berth('volume', 'ls')).stdout, /^default +data +- .*\n$/m);
  t.is((await scene.berth('volume', 'restore', 'copy', file)).code, 0);
  t.true(readFileSync(join(volumeOf(scene, 'copy'), 'large')).equals(readFileSync(join(path, 'large'))));
  t.false(existsSync(join(path, '..', '.copy.restored')));
});
