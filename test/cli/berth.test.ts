// bin/berth as a process, without root: what people and scripts meet first.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { CATALOG } from '../../src/cli/catalog.ts';

const BERTH = fileURLToPath(new URL('../../bin/berth', import.meta.url));
const NGINX = fileURLToPath(new URL('../../examples/nginx', import.meta.url));
const MANIFESTS = fileURLToPath(new URL('../golden/spec', import.meta.url));

const directory = mkdtempSync(join(tmpdir(), 'berth-cli-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

type Result = { readonly code: number; readonly stdout: string; readonly stderr: string };

const PLACES = { BERTH_ROOT: join(directory, 'root'), BERTH_STATE: join(directory, 'state') };

function berth(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Result> {
  const env = { PATH: process.env['PATH'], ...PLACES, ...environment };
  return new Promise((resolve) => {
    execFile(BERTH, [...args], { env, timeout: 50_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}

test('--version prints the version of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  t.deepEqual(await berth(['--version']), { code: 0, stdout: `berth ${version}\n`, stderr: '' });
  t.is((await berth(['--root', '/x', '--version'])).stdout, `berth ${version}\n`);
});

test('--help lists every command, on standard output', async (t) => {
  const { code, stdout, stderr } = await berth(['--help']);
  t.is(code, 0);
  t.is(stderr, '');
  for (const { name } of CATALOG) t.regex(stdout, new RegExp(`^ {2}${name} `, 'm'));
});

test('no command at all is an error, with the help on standard error', async (t) => {
  const { code, stdout, stderr } = await berth([]);
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /Usage: berth/);
});

test('a command’s help has its usage, options and examples', async (t) => {
  for (const args of [
    ['logs', '--help'],
    ['logs', '-h'],
    ['--help', 'logs'],
  ]) {
    const { code, stdout } = await berth(args);
    t.is(code, 0);
    for (const part of [/^Usage\n {2}berth logs/m, /-f, --follow/, /^Examples$/m]) t.regex(stdout, part);
  }
});

test('an unknown command ends with 1, says so in one line, and suggests', async (t) => {
  const { code, stdout, stderr } = await berth(['validat', 'x']);
  t.is(code, 1);
  t.is(stdout, '');
  t.is(stderr, "berth: There is no command 'validat'\n       Did you mean 'berth validate'?\n");
});

test('an unknown option ends with 1, says so in one line, and suggests', async (t) => {
  const { code, stderr } = await berth(['ps', '--al']);
  t.is(code, 1);
  t.is(stderr, 'berth: Unknown option --al\n       Did you mean --all?\n');
});

test('too few and too many arguments end with 1 and show the usage', async (t) => {
  for (const args of [['validate'], ['ps', 'x'], ['exec'], ['pull', 'a', 'b']]) {
    const { code, stderr } = await berth(args);
    t.is(code, 1, args.join(' '));
    t.regex(stderr, /Usage: berth/, args.join(' '));
  }
});

test('an error shows its stack only where BERTH_DEBUG=1 asks for it', async (t) => {
  t.notRegex((await berth(['nonsense-command'])).stderr, /\n\s+at /);
  t.regex((await berth(['nonsense-command'], { BERTH_DEBUG: '1' })).stderr, /\n\s+at /);
});

test('validate ends with 0 for what is valid', async (t) => {
  const { code, stdout, stderr } = await berth(['validate', join(MANIFESTS, 'valid', '01-web.yaml'), NGINX]);
  t.is(stderr, '');
  t.is(code, 0);
  t.regex(stdout, /^2 files, \d+ workloads: valid\n$/);
});

test('validate ends with 1 and names file, line and column of a mistake', async (t) => {
  const file = join(MANIFESTS, 'invalid', '01-unknown-field-typo.yaml');
  const { code, stdout, stderr } = await berth(['validate', file]);
  t.is(code, 1);
  t.is(stdout, '');
  t.true(stderr.startsWith(`${file}:12:11: `), stderr);
  t.regex(stderr, /\^\^\^/);
});

test('validate -o json says the same to programs', async (t) => {
  const { code, stdout } = await berth([
    'validate',
    '-o',
    'json',
    join(MANIFESTS, 'invalid', '01-unknown-field-typo.yaml'),
  ]);
  const answer = JSON.parse(stdout) as { valid: boolean; errors: { line: number }[] };
  t.is(code, 1);
  t.false(answer.valid);
  t.is(answer.errors[0]?.line, 12);
});

test('validate of a path that is not there ends with 1', async (t) => {
  const { code, stderr } = await berth(['validate', join(directory, 'nowhere')]);
  t.is(code, 1);
  t.regex(stderr, /^berth: There is no file or directory '.*nowhere'\n$/);
});

test('looking leaves nothing behind on a machine where nothing ever ran', async (t) => {
  t.deepEqual(await berth(['ps', '-a', '-o', 'json']), { code: 0, stdout: '[]\n', stderr: '' });
  t.is((await berth(['images', '-q'])).stdout, '');
  t.is((await berth(['events', '-o', 'json'])).stdout, '[]\n');
  t.is((await berth(['get', '-o', 'json'])).stdout, '[]\n');
  t.is((await berth(['reset', '--yes'])).code, 0);
  t.false(existsSync(PLACES.BERTH_ROOT) || existsSync(PLACES.BERTH_STATE));
});

test('-o takes json and yaml, nothing else', async (t) => {
  t.is((await berth(['ps', '-o', 'yaml'])).stdout, '[]\n');
  const { code, stderr } = await berth(['ps', '-o', 'xml']);
  t.is(code, 1);
  t.regex(stderr, /json or yaml, not 'xml'/);
});

test('plan without an agent and without a path says what to do', async (t) => {
  const { code, stderr } = await berth(['plan']);
  t.is(code, 1);
  t.regex(stderr, /No agent is running/);
});

test('the agent refuses to start without a source, and with a wrong setting', async (t) => {
  t.regex((await berth(['agent'])).stderr, /nothing to follow/);
  t.regex((await berth(['agent', '--source', 'x', '--listen', 'nowhere'])).stderr, /Cannot listen on 'nowhere'/);
  t.regex((await berth(['agent', '--source', 'x'], { BERTH_LOG_LEVEL: 'loud' })).stderr, /log-level/i);
});

test('more than a pipe holds arrives whole', async (t) => {
  const many = join(directory, 'many');
  mkdirSync(many);
  const wrong = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: a, wrong: 1}]}\n';
  for (let file = 0; file < 900; file++) writeFileSync(join(many, `${file}.yaml`), wrong);
  const { code, stdout } = await berth(['validate', '-o', 'json', many]);
  t.is(code, 1);
  t.true(stdout.length > 65_536);
  t.true((JSON.parse(stdout) as { errors: unknown[] }).errors.length >= 900);
});

test('a reader that goes away ends the command without a word', async (t) => {
  const many = join(directory, 'many-again');
  mkdirSync(many);
  for (let file = 0; file < 900; file++) writeFileSync(join(many, `${file}.yaml`), 'kind: Nothing\napiVersion: v1\n');
  const script = `"$1" validate -o json "$2" | head -n 1`;
  const stderr = await new Promise<string>((resolve) => {
    execFile('sh', ['-c', script, 'sh', BERTH, many], { timeout: 50_000 }, (_error, _stdout, text) => resolve(text));
  });
  t.is(stderr, '');
});
