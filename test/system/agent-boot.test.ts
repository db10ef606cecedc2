// A machine boots without its network: everything starts from what is on the disk, before any source or registry is asked.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import { busyboxImage } from '../tools/image.ts';
import { configMap, container, deployment, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';
import { registryContent, serveImages } from './agent-registry.ts';
import { gitMissing, newGitPlace, serveGit } from './git-server.ts';

const reason = agentUnusable() ?? gitMissing();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

/** What a reboot leaves: the root directory as it was, and of the state directory, which is in memory, nothing. */
async function reboot(scene: AgentScene): Promise<void> {
  const { root } = scene.places;
  await scene.endAgent('SIGKILL');
  const kept = join(scene.home, 'kept');
  cpSync(join(root, 'pods'), join(kept, 'pods'), { recursive: true });
  cpSync(join(root, 'desired'), join(kept, 'desired'), { recursive: true });
  await scene.berth('reset', '--yes', '--time', '0');
  cpSync(kept, root, { recursive: true });
  rmSync(kept, { recursive: true });
  rmSync(scene.places.state, { recursive: true });
  mkdirSync(scene.places.state, { mode: 0o700 });
}

test(`after a reboot all workloads start while the source hangs and the registry is unreachable${skipped}`, async (t) => {
  const content = registryContent();
  content.put('1', busyboxImage());
  const registry = await serveImages(content);
  const place = await newGitPlace(t);
  const image = `${registry.host}/app:1`;
  await place.write({
    'apps.yaml': yaml(
      configMap('words', { WORD: 'ahoy' }),
      deployment('web', { replicas: 2 }, [container('main', { image, imagePullPolicy: 'Always' })]),
      pod('bridged', [container('main', { image, envFrom: [{ configMapRef: { name: 'words' } }] })], {
        hostNetwork: false,
      }),
    ),
  });
  const options: { hang: boolean } = { hang: false };
  const url = await serveGit(t, join(place.directory, 'served'), options);
  const sources = [`${url}/app.git#main`];
  const scene = newAgentScene(t, 'boot');
  await scene.startAgent({ sources, args: ['--poll-seconds', '1'] });
  await scene.ready('web', 'bridged');
  const revision = (await scene.status())?.sources[0]?.revision;

  await reboot(scene);
  // The clone is damaged, say: then only the record of what is desired is left.
  rmSync(join(scene.places.root, 'sources'), { recursive: true });
  options.hang = true;
  await registry[Symbol.asyncDispose]();
  t.deepEqual(scene.containers(), []);
  await scene.startAgent({ sources, args: ['--poll-seconds', '1'] });
  await scene.ready('web', 'bridged');
  t.like(await scene.http('/readyz'), { status: 503, text: `source ${sources[0]} has not been read yet\n` });
  t.is((await scene.http('/healthz')).status, 200);
  const running = scene.containers().filter(({ status }) => status === 'running');
  t.deepEqual(running.map(({ name }) => name).toSorted(), ['bridged/main', 'web-0/main', 'web-1/main']);
  const bridged = scene.container('bridged/main');
  t.true(readFileSync(`/proc/${bridged?.pid}/environ`, 'latin1').split('\0').includes('WORD=ahoy'));
  t.is(bridged?.restarts, 0);

  await scene.endAgent('SIGTERM');
  options.hang = false;
  await scene.startAgent({ sources, args: ['--poll-seconds', '1'] });
  await scene.until('the source to be read', async () =>
    (await scene.http('/readyz')).status === 200 ? true : undefined,
  );
  t.is((await scene.status())?.sources[0]?.revision, revision);
  t.deepEqual(
    scene.containers().map(({ id, pid }) => [id, pid]),
    running.map(({ id, pid }) => [id, pid]),
    'the source says what runs: nothing changes',
  );
});

test(`records of another boot are not believed, and the source directory may be missing${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'bootid');
  scene.write(
    'apps.yaml',
    yaml(deployment('web', { replicas: 1 }, [container('main')]), pod('one', [container('main')])),
  );
  await scene.startAgent();
  await scene.ready('web', 'one');
  await scene.endAgent('SIGKILL');
  const before = scene.containers();
  for (const { pid } of before) process.kill(pid, 'SIGKILL');
  await scene.until('all to end', () => (scene.containers().every(({ pid }) => pid === 0) ? true : undefined));

  // Also where /run is on a disk: the directory outlives the boot, and every number in it means another process by now.
  const away = `${scene.source}.away`;
  renameSync(scene.source, away);
  const fake = join(scene.home, 'boot_id');
  writeFileSync(fake, '00000000-0000-4000-8000-000000000000\n');
  const pretend = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
  const under = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', pretend, fake];
  t.teardown(async () => {
    await scene.endAgent('SIGTERM');
    // Only in that boot are they known to run.
    const { code, stderr } = await scene.berthUnder(under, 'reset', '--yes', '--time', '1');
    if (code !== 0) throw new Error(`berth reset ended with ${code}: ${stderr}`);
  });
  await scene.startAgent({ under });
  await scene.ready('web', 'one');
  t.regex((await scene.status())?.sources[0]?.problem ?? '', /source/);
  // The journal is written a moment after what it tells of.
  const made = await scene.until('the journal to tell of both', async () => {
    const found = (await scene.journal()).filter(
      ({ step, message }) => step === 'createSandbox' && message === 'replaces the pod before it',
    );
    return found.length >= 2 ? found : undefined;
  });
  t.deepEqual(made.map(({ pod: name = '' }) => name).toSorted(), ['one', 'web-0']);
  for (const { id } of before) t.false(existsSync(join(scene.places.state, 'containers', id)));
});
