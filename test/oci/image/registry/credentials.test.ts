import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import test, { type ExecutionContext } from 'ava';

import { isOciError } from '../../../../src/oci/error.ts';
import { credentialFiles, Credentials, credentialsFrom } from '../../../../src/oci/image/registry/credentials.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');

function written(t: ExecutionContext, ...contents: readonly (object | string)[]): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'berth-credentials-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return contents.map((content, at) => {
    const path = join(directory, `${at}.json`);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  });
}

test('credentials are found under the most specific key', async (t) => {
  const files = written(t, {
    auths: {
      'ghcr.io': { auth: encode('all:a') },
      'ghcr.io/team': { auth: encode('team:b') },
      'ghcr.io/team/app': { auth: encode('app:c:d') },
    },
  });
  const find = credentialsFrom(files);
  const basic = async (repository: string): Promise<string | undefined> =>
    (await find({ registry: 'ghcr.io', repository }))?.basic;
  t.is(await basic('other/app'), `Basic ${encode('all:a')}`);
  t.is(await basic('team/other'), `Basic ${encode('team:b')}`);
  t.is(await basic('team/app'), `Basic ${encode('app:c:d')}`);
  t.is(await find({ registry: 'quay.io', repository: 'team/app' }), undefined);
});

test("Docker's URL keys mean their hosts", async (t) => {
  const files = written(t, {
    auths: {
      'https://index.docker.io/v1/': { auth: encode('hub:a') },
      'https://reg.example:5000': { auth: encode('reg:b\0') },
    },
  });
  const find = credentialsFrom(files);
  t.is((await find({ registry: 'docker.io', repository: 'library/nginx' }))?.basic, `Basic ${encode('hub:a')}`);
  t.is((await find({ registry: 'reg.example:5000', repository: 'a' }))?.basic, `Basic ${encode('reg:b')}`);
});

test('the first file that knows the registry wins, and files may be missing', async (t) => {
  const files = written(
    t,
    { auths: { a: {} } },
    { auths: { 'a.io': { username: 'u', password: 'p' } } },
    { auths: { 'a.io': { auth: encode('x:y') } } },
  );
  t.is(
    (await credentialsFrom(['/nonexistent/x', ...files])({ registry: 'a.io', repository: 'b' }))?.basic,
    `Basic ${encode('u:p')}`,
  );
});

test('a broken file is an error that quotes nothing of it', async (t) => {
  for (const content of ['{"auths": s3cret', '{"auths": ["s3cret"]}', '{"auths":{"a.io":{"auth":5}}}']) {
    const find = credentialsFrom(written(t, content));
    const error = await t.throwsAsync(async () => find({ registry: 'a.io', repository: 'b' }));
    t.true(isOciError(error, 'CREDENTIALS_INVALID'));
    t.notRegex(inspect(error, { depth: 5 }), /s3cret/);
  }
});

test('credentials do not print', (t) => {
  const credentials = new Credentials({ username: 'alice', password: 's3cret', identityToken: 's3cret' });
  t.is(JSON.stringify({ credentials }), '{"credentials":"[redacted]"}');
  t.is(String(credentials), '[redacted]');
  t.is(inspect(credentials), '[redacted]');
});

test('the files to look in come from the environment', (t) => {
  t.deepEqual(credentialFiles({ HOME: '/root' }), ['/root/.docker/config.json']);
  t.deepEqual(credentialFiles({ HOME: '/root', DOCKER_CONFIG: '/etc/d', XDG_RUNTIME_DIR: '/run/u' }), [
    '/run/u/containers/auth.json',
    '/etc/d/config.json',
  ]);
  t.deepEqual(credentialFiles({ HOME: '/root', REGISTRY_AUTH_FILE: '/x.json' }), ['/x.json']);
});
