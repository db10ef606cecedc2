// What can be wrong with a workload on this machine: each says clearly what it is, harms no other, and is over when it is mended.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import baseTest from 'ava';

import { busyboxImage } from '../tools/image.ts';
import { container, pod, yaml, type ManifestObject } from './agent-manifests.ts';
import { scrape } from './agent-metrics.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';
import { registryContent, serveImages } from './agent-registry.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

test(`every kind of trouble is told, stays where it is, and ends when it is mended${skipped}`, async (t) => {
  const content = registryContent();
  content.put('ghost', busyboxImage({ config: { User: 'ghost' } }));
  await using registry = await serveImages(content);
  const squatter = createServer();
  squatter.listen(0, '0.0.0.0');
  await once(squatter, 'listening');
  t.teardown(() => squatter.close());
  const { port } = squatter.address() as AddressInfo;
  const scene = newAgentScene(t, 'trouble');
  const data = join(scene.home, 'data');

  /** Name → pod, what its condition must say, and the pod when it is mended (undefined: the world is mended instead). */
  const cases: Readonly<Record<string, readonly [ManifestObject, RegExp, ManifestObject?]>> = {
    path: [
      pod('path', [container('main', { volumeMounts: [{ name: 'data', mountPath: '/data' }] })], {
        volumes: [{ name: 'data', hostPath: { path: data, type: 'Directory' } }],
      }),
      new RegExp(`path/main: hostPath '${data}' does not exist on this machine; type DirectoryOrCreate would make it`),
    ],
    user: [
      pod('user', [container('main', { image: `${registry.host}/app:ghost` })]),
      /user\/main: .*ghost/,
      pod('user', [container('main', { image: `${registry.host}/app:ghost`, securityContext: { runAsUser: 65534 } })]),
    ],
    root: [
      pod('root', [container('main', { securityContext: { runAsNonRoot: true } })]),
      /root\/main: Cannot start container 'main': runAsNonRoot is set, and the image runs as root; set runAsUser/,
      pod('root', [container('main', { securityContext: { runAsNonRoot: true, runAsUser: 1000 } })]),
    ],
    image: [
      pod('image', [container('main', { image: `${registry.host}/app:late` })]),
      new RegExp(`Cannot resolve ${registry.host}/app:late: .*404`),
    ],
    command: [
      pod('command', [container('main', { command: ['/bin/nosuch', 'thing'] })]),
      /command\/main: Cannot start container .*\/bin\/nosuch.*ENOENT/,
      pod('command', [container('main')]),
    ],
    port: [
      pod('port', [container('main', { ports: [{ containerPort: 80, hostPort: port }] })], { hostNetwork: false }),
      new RegExp(`port: Cannot publish port .*${port}.*: a program on this machine uses it`),
    ],
  };
  const bystander = pod('bystander', [container('main')]);
  scene.write('apps.yaml', yaml(bystander, ...Object.values(cases).map(([broken]) => broken)));
  await scene.startAgent();
  await scene.ready('bystander');
  const { id, pid } = scene.container('bystander/main') ?? {};

  for (const [name, [, message]] of Object.entries(cases)) {
    await scene.until(`the trouble with ${name}`, async () => {
      const { code, stdout } = await scene.berth('get', `workload/${name}`, '-o', 'json');
      return code === 0 && message.test(stdout) ? true : undefined;
    });
  }
  t.like(scene.container('bystander/main'), { id, pid, status: 'running' });

  await scrape(t, scene);

  mkdirSync(data);
  content.put('late', busyboxImage());
  squatter.close();
  scene.write('apps.yaml', yaml(bystander, ...Object.values(cases).map(([broken, , mended]) => mended ?? broken)));
  await scene.ready(...Object.keys(cases), 'bystander');
  t.like(scene.container('bystander/main'), { id, pid, status: 'running', restarts: 0 });
});
