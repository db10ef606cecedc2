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

const named = (name: string) => ({ kind: 'ref', name }) as const;

const HOST = 'example.test';
const HTTPS = { protocol: 'https', url: `https://${HOST}/app.git`, credentials: undefined } as const;

test(accepted, `https://${HOST}/app.git`, { ...HTTPS, ref: named('HEAD'), path: '' }, `${HTTPS.url}#HEAD`);
test(accepted, `https://${HOST}/app.git#main`, { ...HTTPS, ref: named('refs/heads/main') }, `${HTTPS.url}#main`);
test(
  accepted,
  `https://${HOST}/app.git#:nodes`,
  { ...HTTPS, ref: named('HEAD'), path: 'nodes' },
  `${HTTPS.url}#HEAD:nodes`,
);
test(
  accepted,
  `https://${HOST}/app.git#a/b:/x/y/`,
  { ref: named('refs/heads/a/b'), path: 'x/y' },
  `${HTTPS.url}#a/b:x/y`,
);
test(accepted, `https://${HOST}/app.git#refs/tags/v1`, { ref: named('refs/tags/v1') }, `${HTTPS.url}#refs/tags/v1`);
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

test(
  accepted,
  `https://${HOST}/app.git#tag:v1:nodes`,
  { ref: named('refs/tags/v1'), path: 'nodes' },
  `${HTTPS.url}#refs/tags/v1:nodes`,
);
test(
  accepted,
  `https://${HOST}/app.git#refs/heads/tag`,
  { ref: named('refs/heads/tag') },
  `${HTTPS.url}#refs/heads/tag`,
);
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
test(
  accepted,
  `https://${HOST}/app.git#commit:${COMMIT}`,
  { ref: { kind: 'commit', commit: COMMIT } },
  `${HTTPS.url}#commit:${COMMIT}`,
);
test(
  accepted,
  'bundle:/media/usb/fleet.bundle#main:one',
  { protocol: 'bundle', path: 'one' },
  'bundle:/media/usb/fleet.bundle#main:one',
);
test(
  accepted,
  `https://${HOST}/app.git#main?verify=ssh&signers=/etc/berth/signers&pollSeconds=5&allowRollback`,
  { settings: { verify: 'ssh', signers: '/etc/berth/signers', pollSeconds: 5, allowRollback: true } },
  `${HTTPS.url}#main`,
);

test('a range of versions is kept as it was written', (t) => {
  const config = parseSource(`https://${HOST}/app.git#semver:^1.2:nodes`);
  assert(config.kind === 'git');
  t.like(config.ref, { kind: 'semver', text: '^1.2' });
  t.is(gitSourceName(config), `${HTTPS.url}#semver:^1.2:nodes`);
});

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
const GIT = 'https://example.test/app.git#main';
test(refused, 'https://example.test/app.git#commit:abc', /no whole commit id/);
test(refused, 'https://example.test/app.git#semver:new', /'new' is no version/);
test(refused, 'https://example.test/app.git#semver:', /range is missing/);
test(refused, 'https://example.test/app.git#tag:', /'' is no tag name/);
test(refused, 'bundle:fleet.bundle', /absolute path/);
test(refused, `${GIT}?colour=red`, /no option 'colour'/);
test(refused, `${GIT}?verify=gpg`, /verify is off, ssh, openpgp, not 'gpg'/);
test(refused, `${GIT}?verify=ssh`, /needs signers=FILE/);
test(refused, `${GIT}?signers=/a`, /needs verify=/);
test(refused, `${GIT}?verify=off&verify=ssh`, /stands twice/);
test(refused, `${GIT}?credentials=a`, /absolute path/);
test(refused, `${GIT}?sshKey=/a`, /sshKey is for ssh:/);
test(refused, 'git@example.test:app.git#main?credentials=/a', /credentials is for https:/);
test(refused, 'git@example.test:app.git#main?knownHosts=/a%20-oProxyCommand=x', /absolute path of letters/);
test(refused, `${GIT}?hook=a`, /go together/);
test(refused, `${GIT}?hook=a/b&hookSecret=/a`, /hook is a name/);
test(refused, `${GIT}?pollSeconds=0`, /from 1 to 86400/);
test(refused, `${GIT}?allowRollback=maybe`, /true or false/);
test(refused, 'https://bob:x@example.test/app.git#main?credentials=/a', /one of them is enough/);
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
      assert(
        !config.url.startsWith('-') &&
          !(config.ref.kind === 'ref' && config.ref.name.startsWith('-')) &&
          !config.path.startsWith('-'),
      );
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
