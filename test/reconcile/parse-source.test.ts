import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import { gitSourceName, parseSource, type GitConfig } from '../../src/reconcile/parse-source.ts';

const accepted = test.macro({
  exec(t, text: string, expected: Partial<GitConfig>, name: string) {
    const config = parseSource(text);
    t.like(config, { kind: 'git', ...expected });
    if (config.kind === 'git') t.is(gitSourceName(config), name);
  },
  title: (_given, text: string) => `'${text}' is a Git source`,
});

const HOST = 'example.test';
const HTTPS = { protocol: 'https', url: `https://${HOST}/app.git`, credentials: undefined } as const;

test(accepted, `https://${HOST}/app.git`, { ...HTTPS, ref: 'HEAD', path: '' }, `${HTTPS.url}#HEAD`);
test(accepted, `https://${HOST}/app.git#main`, { ...HTTPS, ref: 'refs/heads/main' }, `${HTTPS.url}#main`);
test(accepted, `https://${HOST}/app.git#:nodes`, { ...HTTPS, ref: 'HEAD', path: 'nodes' }, `${HTTPS.url}#HEAD:nodes`);
test(accepted, `https://${HOST}/app.git#a/b:/x/y/`, { ref: 'refs/heads/a/b', path: 'x/y' }, `${HTTPS.url}#a/b:x/y`);
test(accepted, `https://${HOST}/app.git#refs/tags/v1`, { ref: 'refs/tags/v1' }, `${HTTPS.url}#refs/tags/v1`);
test(
  accepted,
  `ssh://git@${HOST}:2222/app.git#main`,
  { protocol: 'ssh', url: `ssh://git@${HOST}:2222/app.git` },
  `ssh://git@${HOST}:2222/app.git#main`,
);
test(
  accepted,
  `git@${HOST}:team/app.git#main:.`,
  { protocol: 'ssh', url: `git@${HOST}:team/app.git`, path: '' },
  `git@${HOST}:team/app.git#main`,
);
test(accepted, 'file:///srv/app.git', { protocol: 'file', url: 'file:///srv/app.git' }, 'file:///srv/app.git#HEAD');
test(accepted, 'http://127.0.0.1:3000/app.git', { protocol: 'http' }, 'http://127.0.0.1:3000/app.git#HEAD');
test(
  accepted,
  `https://bob:p%40ss@${HOST}/app.git`,
  { url: HTTPS.url, credentials: { user: 'bob', password: 'p@ss' } },
  `${HTTPS.url}#HEAD`,
);

const refused = test.macro({
  exec(t, text: string, reason: RegExp) {
    const error = t.throws(() => parseSource(text));
    t.regex(error?.message ?? '', reason);
  },
  title: (_given, text) => `${JSON.stringify(text)} is refused`,
});

test(refused, '', /empty/);
test(refused, '-oProxyCommand=evil', /begins with '-'/);
test(refused, '--upload-pack=evil', /begins with '-'/);
test(refused, 'ext::sh -c evil', /transport helpers/);
test(refused, 'ssh://-oProxyCommand=evil/app.git', /no host name|not a URL/);
test(refused, 'ssh://-evil@example.test/app.git', /no user name/);
test(refused, 'ssh://git:secret@example.test/app.git', /takes a key/);
test(refused, 'git@example.test:-evil', /path of the repository/);
test(refused, 'https://example.test/-evil', /path of the repository/);
test(refused, 'https://example.test', /path of the repository/);
test(refused, 'http://example.test/app.git', /use https/);
test(refused, 'ftp://example.test/app.git', /not ftp/);
test(refused, 'file://host/app.git', /no host/);
test(refused, 'https://example.test/app.git?ref=x', /no '\?…'/);
test(refused, 'https://example.test/app.git#-evil', /no branch name/);
test(refused, 'https://example.test/app.git#a..b', /no branch name/);
test(refused, 'https://example.test/app.git#a b', /no branch name/);
test(refused, 'https://example.test/app.git#main:../etc', /no path within/);
test(refused, 'https://example.test/app.git#main:a/../../b', /no path within/);
test(refused, 'https://example.test/app.git#main:-x', /no path within/);
test(refused, 'https://example.test/a\nb', /control character/);

test('a refusal does not repeat a password', (t) => {
  const error = t.throws(() => parseSource('http://bob:s3cret@example.test/app.git'));
  t.false(error?.message.includes('s3cret'));
});

test('anything else is a directory', (t) => {
  for (const path of ['.', '/etc/berth', 'apps', './-x', 'a@b', 'C:/x'])
    t.deepEqual(parseSource(path), { kind: 'directory', path });
});

test('no text makes an argument that git takes for an option', (t) => {
  const pieces = fc.constantFrom(
    'https://',
    'ssh://',
    'file://',
    'git@',
    '-',
    '--x',
    'h',
    '.t',
    '/',
    ':',
    '#',
    '..',
    '@',
    'a',
    ' ',
    '%2d',
  );
  const property = fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
    try {
      const config = parseSource(parts.join(''));
      if (config.kind === 'directory') return;
      assert(!config.url.startsWith('-') && !config.ref.startsWith('-') && !config.path.startsWith('-'));
      assert(!config.path.split('/').includes('..'));
      const { username = '', password = '' } = URL.parse(gitSourceName(config)) ?? {};
      assert(password === '' && (username === '' || config.protocol === 'ssh'));
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert(error instanceof Error && error.message.includes('cannot be a source'), String(error));
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});
