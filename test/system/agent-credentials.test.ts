// A registry that wants a password: the agent and the commands have it from where docker login and podman login put it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import { sendError } from '../oci/image/fault-registry.ts';
import { busyboxImage } from '../tools/image.ts';
import { container, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';
import { registryContent, serveImages } from './agent-registry.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest.serial : baseTest.serial.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

test(`a password that docker login left opens the registry to agent, plan and pull${skipped}`, async (t) => {
  const content = registryContent();
  content.put('1', busyboxImage({ config: { Labels: { only: 'here' } } }));
  const auth = Buffer.from('alice:s3cret').toString('base64');
  await using registry = await serveImages(content, ({ request, response, serve }) => {
    if (request.headers.authorization === `Basic ${auth}`) serve();
    else sendError(response, 401, { 'www-authenticate': 'Basic realm="test"' });
  });
  const scene = newAgentScene(t, 'credentials');
  const image = `${registry.host}/app:1`;
  scene.write('apps.yaml', yaml(pod('private', [container('main', { image })])));
  const login = join(scene.home, 'login');
  mkdirSync(login);
  const environment = ['env', `DOCKER_CONFIG=${login}`];
  t.regex((await scene.berthUnder(environment, 'pull', image)).stderr, /401|no credentials/);

  writeFileSync(join(login, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  t.is((await scene.berthUnder(environment, 'plan', scene.source)).code, 2);
  await scene.startAgent({ under: environment });
  await scene.ready('private');
  t.is((await scene.berthUnder(environment, 'pull', image)).code, 0);
  t.false(scene.log.includes('s3cret') || scene.log.includes(auth), 'and it is in no log');
});
