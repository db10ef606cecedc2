// Real software: a Debian with nginx and python3, made by mmdebstrap, pushed by skopeo, pulled by the agent, serving.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import baseTest from 'ava';

import { freePort } from '../../examples/quickstart/machine.ts';
import { configMap, deployment, pod, yaml, type ManifestObject } from './agent-manifests.ts';
import { scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';
import { debianUnusable, makeDebianImage, startDebianRegistry, type DebianRegistry } from './debian-image.ts';

const reason = agentUnusable() ?? (await debianUnusable());
const test = reason === undefined ? baseTest.serial : baseTest.serial.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

let directory = '';
let registry: DebianRegistry | undefined;
let digest = '';

baseTest.before(async (t) => {
  t.timeout(170_000);
  if (reason !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), 'berth-debian-'));
  const layout = await makeDebianImage(directory, ['nginx-light', 'python3']);
  registry = await startDebianRegistry(directory);
  digest = await registry.push(layout, 'debian/web:1');
});

baseTest.after.always(async () => {
  await registry?.[Symbol.asyncDispose]();
  if (directory !== '') rmSync(directory, { recursive: true });
});

/** A whole nginx.conf; what it writes goes to the container's log. */
function nginxConf(listen: string, header: string): string {
  return [
    'user www-data;',
    'worker_processes 1;',
    'error_log stderr;',
    'pid /run/nginx.pid;',
    'events {}',
    'http {',
    '  types { text/html html; }',
    '  access_log /dev/stdout;',
    `  server { listen ${listen}; root /srv/html; add_header X-Berth ${header}; }`,
    '}',
  ].join('\n');
}

function nginx(image: string, mounts: readonly ManifestObject[]): ManifestObject {
  const command = ['nginx', '-c', '/srv/conf/nginx.conf', '-g', 'daemon off;'];
  return { name: 'nginx', image, imagePullPolicy: 'Always', command, volumeMounts: mounts };
}

const MOUNTS = [
  { name: 'conf', mountPath: '/srv/conf/nginx.conf', subPath: 'nginx.conf' }, // read once: an edit starts nginx again
  { name: 'html', mountPath: '/srv/html' },
];
const volume = (name: string, config: string): ManifestObject => ({ name, configMap: { name: config } });

test(`nginx and python from Debian's registry serve over the bridge and on the machine's network${skipped}`, async (t) => {
  t.timeout(120_000);
  const scene = newAgentScene(t, 'nginx');
  const image = `${registry?.host ?? ''}/debian/web:1`;
  const port = await freePort();
  const documents = ({ header, page }: { readonly header: string; readonly page: string }): string =>
    yaml(
      configMap('site', { 'nginx.conf': nginxConf('80', header) }),
      configMap('local', { 'nginx.conf': nginxConf(`127.0.0.1:${port}`, 'local') }),
      configMap('html', { 'index.html': page }),
      configMap('files', { 'index.html': 'from python' }),
      deployment(
        'site',
        {
          replicas: 1,
          hostNetwork: false,
          volumes: [volume('conf', 'site'), volume('html', 'html'), volume('files', 'files')],
        },
        [
          nginx(image, MOUNTS),
          {
            name: 'python',
            image,
            command: ['python3', '-u', '-m', 'http.server', '8000', '--directory', '/srv/files'],
            volumeMounts: [{ name: 'files', mountPath: '/srv/files' }],
            securityContext: { runAsUser: 65534, runAsNonRoot: true, readOnlyRootFilesystem: true },
          },
        ],
      ),
      pod('local', [nginx(image, MOUNTS)], { volumes: [volume('conf', 'local'), volume('html', 'files')] }),
    );
  scene.write('site.yaml', documents({ header: 'one', page: 'ahoy' }));
  await scene.startAgent();
  await scene.ready('site', 'local');

  const ip = scene.container('site-0/nginx')?.ip ?? '';
  t.deepEqual(await answer(scene, `http://${ip}/`), { header: 'one', text: 'ahoy' }, 'over the bridge');
  t.like(await answer(scene, `http://${ip}:8000/`), { text: 'from python' });
  t.deepEqual(
    await answer(scene, `http://127.0.0.1:${port}/`),
    { header: 'local', text: 'from python' },
    'hostNetwork',
  );
  const images = JSON.parse((await scene.berth('images', '-o', 'json')).stdout) as {
    reference: string;
    digest: string;
  }[];
  t.is(images.find(({ reference }) => reference === image)?.digest, digest, 'it is the image that skopeo sees');
  await scrape(t, scene);

  const version = await scene.berth('exec', 'site-0/nginx', 'nginx', '-v');
  t.is(version.code, 0);
  t.regex(version.stderr, /^nginx version: nginx\//);
  const script = 'import os, urllib.request as u; print(os.getuid(), u.urlopen("http://127.0.0.1").read().decode())';
  t.like(await scene.berth('exec', 'site-0/python', 'python3', '-c', script), { code: 0, stdout: '65534 ahoy\n' });
  t.is((await scene.berth('exec', 'site-0/nginx', 'sh', '-c', 'exit 3')).code, 3);
  await scene.until('the log of nginx', async () =>
    /GET \/ HTTP\/1\.1" 200/.test((await scene.berth('logs', 'site-0/nginx')).stdout) ? true : undefined,
  );

  const before = pids(scene);
  scene.write('site.yaml', documents({ header: 'two', page: 'ahoy' }));
  await scene.until('nginx to start again', () =>
    pids(scene)['site-0/nginx'] === before['site-0/nginx'] ? undefined : pids(scene)['site-0/nginx'],
  );
  await scene.ready('site', 'local');
  t.deepEqual(await answer(scene, `http://${ip}/`), { header: 'two', text: 'ahoy' }, 'the same address');
  const after = pids(scene);
  for (const name of ['site-0/python', 'local/nginx']) t.is(after[name], before[name], `${name} runs on`);

  scene.write('site.yaml', documents({ header: 'two', page: 'moored' }));
  await scene.until('the new page', async () =>
    (await answer(scene, `http://${ip}/`)).text === 'moored' ? true : undefined,
  );
  t.is(pids(scene)['site-0/python'], before['site-0/python']);
});

/** What a URL says, once somebody listens there. */
function answer(scene: AgentScene, url: string): Promise<{ readonly header: string | null; readonly text: string }> {
  return scene.until(`an answer from ${url}`, async () => {
    const response = await fetch(url, { headers: { connection: 'close' } });
    return { header: response.headers.get('x-berth'), text: (await response.text()).trim() };
  });
}

/** The containers that run, by name. */
function pids(scene: AgentScene): Readonly<Record<string, number>> {
  const running = scene.containers().filter(({ status }) => status === 'running');
  return Object.fromEntries(running.map(({ name, pid }) => [name, pid]));
}
