import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import test, { type ExecutionContext } from 'ava';

import { isOciError } from '../../../../src/oci/error.ts';
import { askHelper } from '../../../../src/oci/image/registry/docker-credential.ts';
import { credentialsFrom } from '../../../../src/oci/image/registry/credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const directory = mkdtempSync(join(tmpdir(), 'berth-helpers-'));

test.before(() => {
  process.env['PATH'] = `${directory}:${process.env['PATH'] ?? ''}`;
  // Knows every registry but none.io, by the name that it was asked for.
  helper(
    'echo',
    'read -r u; [ "$u" = none.io ] && { echo credentials not found in native keychain; exit 1; }\n' +
      `printf '{"ServerURL":"%s","Username":"%s","Secret":"%s"}' "$u" "$1" "$u"`,
  );
  helper('token', `echo '{"ServerURL":"a.io","Username":"<token>","Secret":"refresh"}'`);
  helper('broken', 'echo s3cret; echo s3cret >&2; exit 3');
  helper('garbage', 'echo s3cret');
  helper('hangs', 'exec sleep 100');
  helper('endless', 'yes s3cret');
});

test.after.always(() => rmSync(directory, { recursive: true }));

function helper(name: string, script: string): void {
  const path = join(directory, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

function config(t: ExecutionContext, content: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'berth-helper-config-')), 'config.json');
  t.teardown(() => rmSync(join(path, '..'), { recursive: true }));
  writeFileSync(path, JSON.stringify(content));
  return path;
}

test('a helper is asked for the registry by the name that docker login gave it', async (t) => {
  t.is((await askHelper('echo', 'a.io:5000'))?.basic, basic('get:a.io:5000'));
  t.is((await askHelper('echo', 'docker.io'))?.basic, basic('get:https://index.docker.io/v1/'));
  t.is(await askHelper('echo', 'none.io'), undefined);
  t.is((await askHelper('token', 'a.io'))?.identityToken, 'refresh');
});

for (const [name, reason] of [
  ['broken', /ended with exit code 3/],
  ['garbage', /printed no JSON/],
  ['hangs', /did not end within 0\.3 s/],
  ['endless', /printed more than 65536 bytes/],
  ['absent', /no such program in PATH/],
] as const) {
  test(`a helper that is ${name} is an error that quotes nothing of it`, async (t) => {
    const timeoutMs = name === 'hangs' ? 300 : 20_000;
    const error = await t.throwsAsync(async () => askHelper(name, 'a.io', { timeoutMs }), { message: reason });
    t.true(isOciError(error, 'CREDENTIALS_INVALID'));
    t.notRegex(inspect(error, { depth: 5 }), /s3cret/);
  });
}

test('an abort ends the helper', async (t) => {
  const reason = new Error('enough');
  const asked = askHelper('hangs', 'a.io', { signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(asked), reason);
});

test('credHelpers come before credsStore, and both before auths', async (t) => {
  const auth = Buffer.from('plain:p').toString('base64');
  const file = config(t, {
    auths: { 'a.io': { auth }, 'none.io': { auth }, 'b.io': {} },
    credHelpers: { 'b.io': 'token' },
    credsStore: 'echo',
  });
  const find = credentialsFrom([file]);
  const of = async (registry: string): Promise<string | undefined> =>
    (await find({ registry, repository: 'x' }))?.basic;
  t.is(await of('a.io'), basic('get:a.io'));
  t.is((await find({ registry: 'b.io', repository: 'x' }))?.identityToken, 'refresh');
  t.is(await of('none.io'), basic('plain:p'));
});

test('a helper whose name is a path is not run', async (t) => {
  const find = credentialsFrom([config(t, { credsStore: '../../tmp/evil' })]);
  const error = await t.throwsAsync(async () => find({ registry: 'a.io', repository: 'x' }));
  t.true(isOciError(error, 'CREDENTIALS_INVALID'));
});
