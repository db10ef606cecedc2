import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { registryOptions } from '../../../../src/oci/image/registry/environment.ts';

test('credentials come from the files that the environment names', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-environment-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const auth = Buffer.from('alice:s3cret').toString('base64');
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ auths: { 'registry.test': { auth } } }));
  const { credentials } = registryOptions({ DOCKER_CONFIG: directory });
  t.is((await credentials?.({ registry: 'registry.test', repository: 'app' }))?.basic, `Basic ${auth}`);
  t.is(await credentials?.({ registry: 'other.test', repository: 'app' }), undefined);
});

test('proxies are read only where the environment names one', (t) => {
  t.is(registryOptions({}).proxyEnv, undefined);
  t.is(registryOptions({ HTTPS_PROXY: '', NO_PROXY: 'localhost' }).proxyEnv, undefined);
  for (const name of ['HTTPS_PROXY', 'http_proxy']) {
    const environment = { [name]: 'http://proxy.test:3128' };
    t.is(registryOptions(environment).proxyEnv, environment);
  }
});
