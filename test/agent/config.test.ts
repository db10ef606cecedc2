import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { ConfigError, resolveConfig, type AgentFlags } from '../../src/agent/config.ts';

const NOTHING: AgentFlags = {
  places: { root: undefined, state: undefined, cgroupParent: undefined },
  config: undefined,
  sources: [],
  listen: undefined,
  logLevel: undefined,
  logFormat: undefined,
  pollSeconds: undefined,
  allowEmpty: false,
  unpack: undefined,
  once: false,
};

const directory = mkdtempSync(join(tmpdir(), 'berth-config-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test('without anything said the defaults hold', (t) => {
  const config = resolveConfig(NOTHING, {});
  t.deepEqual(config.sources, []);
  t.deepEqual(config.listen, { host: '127.0.0.1', port: 9473 });
  t.is(config.logLevel, 'info');
  t.is(config.logFormat, 'auto');
  t.is(config.pollSeconds, 30);
  t.false(config.allowEmpty);
  t.true(Object.isFrozen(config));
});

test('flags win over variables, variables over the file, the file over defaults', (t) => {
  const config = file('all.yaml', 'sources: [/file]\nlisten: 127.0.0.1:1\nlogLevel: error\npollSeconds: 5\n');
  const environment = { BERTH_CONFIG: config, BERTH_SOURCE: '/one /two', BERTH_LISTEN: '127.0.0.1:2' };
  const resolved = resolveConfig({ ...NOTHING, listen: '127.0.0.1:3' }, environment);
  t.is(resolved.listen?.port, 3);
  t.deepEqual(resolved.sources, ['/one', '/two']);
  t.is(resolved.logLevel, 'error');
  t.is(resolved.pollSeconds, 5);
});

test('an empty file says nothing', (t) => {
  t.is(resolveConfig({ ...NOTHING, config: file('empty.yaml', '# nothing\n') }, {}).logLevel, 'info');
});

test('listen: off serves no HTTP', (t) => {
  t.is(resolveConfig({ ...NOTHING, listen: 'off' }, {}).listen, undefined);
});

const WRONG = [
  ['an unknown setting', 'sourcs: [/a]\n', /wrong\.yaml: sourcs: there is no such setting/],
  ['a wrong type', 'sources: /a\n', /wrong\.yaml: sources: .*array/],
  ['a wrong item', 'sources: [1]\n', /wrong\.yaml: sources\[0\]: .*string/],
  ['a directory with options', 'sources: [{source: /a, verify: ssh}]\n', /wrong\.yaml: sources\[0\]: .*repository/],
  ['a wrong level', 'logLevel: loud\n', /wrong\.yaml: logLevel: .*error/],
  ['a number out of range', 'pollSeconds: 0\n', /wrong\.yaml: pollSeconds: /],
  ['broken YAML', 'a: [\n', /wrong\.yaml:\d+: /],
  ['an address that is none', 'listen: here\n', /Cannot listen on 'here'/],
] as const;

for (const [what, text, message] of WRONG) {
  test.serial(`${what} in the file is an error that names the place`, (t) => {
    const config = file('wrong.yaml', text);
    t.throws(() => resolveConfig({ ...NOTHING, config }, {}), { instanceOf: ConfigError, message });
  });
}

test('a file that is not there is an error that names it', (t) => {
  const config = join(directory, 'missing.yaml');
  t.throws(() => resolveConfig({ ...NOTHING, config }, {}), { instanceOf: ConfigError, message: /missing\.yaml/ });
});

test('a wrong flag and a wrong variable are called by their own names', (t) => {
  t.throws(() => resolveConfig({ ...NOTHING, logLevel: 'loud' }, {}), { message: /^--log-level: / });
  t.throws(() => resolveConfig(NOTHING, { BERTH_POLL_SECONDS: 'often' }), { message: /^BERTH_POLL_SECONDS: / });
  const places = { ...NOTHING.places, cgroupParent: '/' };
  t.throws(() => resolveConfig({ ...NOTHING, places }, {}), { instanceOf: ConfigError });
});

test('a source of the file may have its options beside it', (t) => {
  const text = 'sources: [/a, {source: "https://h/a.git#main", verify: ssh, signers: /etc/s, pollSeconds: 5}]\n';
  const { sources } = resolveConfig({ ...NOTHING, config: file('options.yaml', text) }, {});
  t.deepEqual(sources, ['/a', 'https://h/a.git#main?verify=ssh&signers=%2Fetc%2Fs&pollSeconds=5']);
  const alone = resolveConfig(
    { ...NOTHING, config: file('o.yaml', 'sources: [{source: "https://h/a", hook: x}]') },
    {},
  );
  t.deepEqual(alone.sources, ['https://h/a#?hook=x']);
});
