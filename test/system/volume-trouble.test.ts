// Volumes that cannot be had, and whose they are: what one pod gets wrong harms no other.
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import { configMap, container, pod, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const WAIT = 'trap "exit 0" TERM; sleep 1000000 & wait';

function claim(name: string): ManifestObject {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec };
}

function mounting(name: string, volume: ManifestObject, mount: ManifestObject = {}, script = ''): ManifestObject {
  const volumeMounts = [{ name: 'v', mountPath: '/v', ...mount }];
  const main = container('main', { command: ['sh', '-c', `${script}\n${WAIT}`], volumeMounts });
  return pod(name, [main], { volumes: [{ name: 'v', ...volume }] });
}

function volumeOf(scene: AgentScene, name: string): string {
  return join(scene.places.root, 'volumes', 'default', name);
}

async function problemOf(scene: AgentScene, name: string, message: RegExp): Promise<string> {
  return scene.until(`${name} to be refused`, async () => {
    const condition = await scene.condition(name);
    return condition?.status === 'False' && message.test(condition.message) ? condition.message : undefined;
  });
}

test(`a volume that cannot be had stops its own pod, with a message that says why${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'volume-trouble');
  const [data, outside] = [volumeOf(scene, 'data'), join(scene.home, 'outside')];
  mkdirSync(data, { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'outside');
  symlinkSync(outside, join(data, 'link'));
  symlinkSync('../../../../outside', join(data, 'relative'));
  const ofClaim = { persistentVolumeClaim: { claimName: 'data' } };
  scene.write(
    'apps.yaml',
    yaml(
      claim('data'),
      mounting('missing', { hostPath: { path: join(scene.home, 'nothing') } }),
      mounting('file', { hostPath: { path: join(outside, 'file'), type: 'Directory' } }),
      mounting('absolute', ofClaim, { subPath: 'link' }),
      mounting('relative', ofClaim, { subPath: 'relative/below' }),
      mounting('expression', ofClaim, { subPathExpr: 'a/$(NOWHERE)' }),
      mounting('healthy', ofClaim, {}, 'echo fine > /v/healthy'),
    ),
  );
  await scene.startAgent();
  await scene.ready('healthy');
  t.regex(
    await problemOf(scene, 'missing', /nothing/),
    /hostPath '.*\/nothing' does not exist on this machine; type Dir/,
  );
  t.regex(await problemOf(scene, 'file', /file/), /is not a directory, as its type 'Directory' says/);
  t.regex(await problemOf(scene, 'absolute', /link/), /Cannot use subPath 'link': .*ELOOP/);
  t.regex(await problemOf(scene, 'relative', /below/), /Cannot use subPath 'relative\/below': .*ELOOP/);
  t.regex(await problemOf(scene, 'expression', /NOWHERE/), /subPathExpr 'a\/\$\(NOWHERE\)': there is no variable/);
  t.deepEqual(statSync(outside).nlink, 2, 'nothing was made outside');
  t.is(readFileSync(join(data, 'healthy'), 'utf8'), 'fine\n');
  mkdirSync(join(scene.home, 'nothing'));
  await scene.ready('missing', 'healthy');
});

test(`a volume that is full is its pod's trouble alone${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'volume-full');
  const full = volumeOf(scene, 'full');
  mkdirSync(full, { recursive: true });
  const fill = 'dd if=/dev/zero of=/v/large bs=64k count=64 2>&1 | grep -o "No space left on device"';
  scene.write(
    'apps.yaml',
    yaml(
      claim('full'),
      configMap('settings', { a: '1' }),
      mounting('filling', { persistentVolumeClaim: { claimName: 'full' } }, {}, fill),
      mounting('other', { configMap: { name: 'settings' } }),
    ),
  );
  const under = ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o size=1M none '${full}' && exec "$@"`, 'sh'];
  await scene.startAgent({ under });
  await scene.ready('filling', 'other');
  await scene.until('the volume to be full', async () =>
    (await scene.berth('logs', 'filling/main')).stdout === 'No space left on device\n' ? true : undefined,
  );
  scene.write('more.yaml', yaml(mounting('later', { emptyDir: {} }, {}, 'echo fine > /v/file; cat /v/file')));
  await scene.ready('later', 'filling', 'other');
  t.is((await scene.berth('logs', 'later/main')).stdout, 'fine\n');
});

test(`fsGroup gives a pod's volumes to its group, and no others${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'fs-group');
  const [data, host, aside] = [volumeOf(scene, 'data'), join(scene.home, 'host'), join(scene.home, 'aside')];
  mkdirSync(join(data, 'deep'), { recursive: true });
  mkdirSync(host);
  writeFileSync(join(data, 'deep', 'file'), 'kept', { mode: 0o600 });
  writeFileSync(aside, '', { mode: 0o600 });
  symlinkSync(aside, join(data, 'link'));
  chownSync(join(data, 'deep', 'file'), 5, 5);
  chmodSync(join(data, 'deep'), 0o700);
  const volumes = [
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'empty', emptyDir: {} },
    { name: 'host', hostPath: { path: host } },
    { name: 'settings', configMap: { name: 'settings', defaultMode: 0o400 } },
  ];
  const volumeMounts = [
    ...volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
    { name: 'empty', mountPath: '/mine', subPathExpr: '$(POD)/mine' },
  ];
  const script =
    'id -G; cat /data/deep/file /settings/a; echo x > /empty/new; stat -c "%u %g %a" /empty/new /empty /host; ls /empty';
  const env = [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
  const main = container('main', { command: ['sh', '-c', `${script}; ${WAIT}`], volumeMounts, env });
  const securityContext = { runAsUser: 1234, runAsGroup: 1234, fsGroup: 777 };
  scene.write(
    'apps.yaml',
    yaml(claim('data'), configMap('settings', { a: '!' }), pod('app', [main], { volumes, securityContext })),
  );
  await scene.startAgent();
  await scene.ready('app');
  const { stdout } = await scene.berth('logs', 'app/main');
  t.is(stdout, '1234 777\nkept!1234 777 644\n0 777 2777\n0 0 755\napp\nnew\n');
  t.like(statSync(join(data, 'deep', 'file')), { uid: 5, gid: 777, mode: 0o100660 });
  t.like(statSync(join(data, 'deep')), { gid: 777, mode: 0o42770 });
  t.like(statSync(aside), { gid: 0, mode: 0o100600 }, 'no link is followed');
});
