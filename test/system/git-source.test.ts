import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import baseTest from 'ava';

import { GitSource } from '../../src/reconcile/git-source.ts';
import { parseSource } from '../../src/reconcile/parse-source.ts';
import { Reader, runSourceContract, type SourceWorld } from '../contract/source.ts';
import { gitMissing, newGitPlace, serveGit, type GitPlace } from './git-server.ts';

const skip = gitMissing();
const test = skip === undefined ? baseTest : baseTest.skip;
const INTERVAL_MS = 20;

function open(text: string, root: string): GitSource {
  const config = parseSource(text);
  if (config.kind !== 'git') throw new Error(`${text} is no Git source`);
  return new GitSource({ config, root, intervalMs: INTERVAL_MS });
}

function fileUrl(place: GitPlace): string {
  return pathToFileURL(place.bare).href;
}

function worldOf(place: GitPlace, source: GitSource): SourceWorld {
  const away = `${place.bare}.away`;
  return {
    source,
    write: (content) => place.write(content),
    vanish: () => rename(place.bare, away),
    comeBack: async () => {
      await rm(place.bare, { recursive: true, force: true });
      await rename(away, place.bare);
    },
    garble: async () => {
      await rename(place.bare, away);
      await mkdir(place.bare);
      await writeFile(join(place.bare, 'HEAD'), 'garbage\0');
    },
  };
}

runSourceContract({
  name: 'git over file',
  skip,
  newWorld: async (t) => {
    const place = await newGitPlace(t);
    return worldOf(place, open(`${fileUrl(place)}#main`, place.directory));
  },
});

runSourceContract({
  name: 'git over http',
  skip,
  newWorld: async (t) => {
    const place = await newGitPlace(t);
    const base = await serveGit(t, join(place.directory, 'served'));
    return worldOf(place, open(`${base}/app.git#main`, place.directory));
  },
});

test('a branch that is not there fails the source until it is pushed', async (t) => {
  const place = await newGitPlace(t);
  const reader = new Reader(t, open(`${fileUrl(place)}#next`, place.directory));
  const failed = await reader.until('failed');
  t.is(failed.code, 'SOURCE_MISSING');
  t.regex(failed.message, /has no refs\/heads\/next$/);
  await place.write({ 'a.yaml': 'a: 1\n' }, { branch: 'next' });
  t.is((await reader.until('revision')).files.length, 1);
});

test('without a branch it is the default branch of the repository', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const update = await new Reader(t, open(fileUrl(place), place.directory)).until('revision');
  t.is(update.files[0]?.path, 'a.yaml');
  t.is(update.revision, place.git('rev-parse', 'HEAD'));
});

test('only the path of the source is read', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n', 'nodes/one/b.yaml': 'b: 1\n', 'link.yaml': { link: '/etc/passwd' } });
  const update = await new Reader(t, open(`${fileUrl(place)}#main:nodes/one`, place.directory)).until('revision');
  t.deepEqual(update.files, [{ path: 'b.yaml', text: 'b: 1\n' }]);
});

test('a path that is not there, or is a file, fails the source and is told once', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const missing = await new Reader(t, open(`${fileUrl(place)}#main:no/such`, place.directory)).until('failed');
  t.is(missing.code, 'SOURCE_MISSING');
  t.regex(missing.message, /has no directory 'no\/such'$/);
  const reader = new Reader(t, open(`${fileUrl(place)}#main:a.yaml`, place.directory));
  t.is((await reader.until('failed')).code, 'SOURCE_MISSING');
  await place.write({ 'a.yaml': undefined, 'a.yaml/b.yaml': 'b: 1\n' });
  const { value } = await reader.next();
  t.is(value.kind, 'revision');
});

test('a branch that is rewritten is followed', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const reader = new Reader(t, open(`${fileUrl(place)}#main`, place.directory));
  await reader.until('revision');
  await place.write({ 'a.yaml': 'a: 2\n' }, { force: true });
  t.is((await reader.until('revision')).files[0]?.text, 'a: 2\n');
});

test('a submodule is refused by name', async (t) => {
  const place = await newGitPlace(t);
  const commit = place.git('rev-parse', 'HEAD');
  place.git('update-index', '--add', '--cacheinfo', `160000,${commit},lib/sub`);
  place.git('commit', '--quiet', '--message=Submodule');
  place.git('push', '--quiet', 'served', 'HEAD:refs/heads/main');
  const failed = await new Reader(t, open(`${fileUrl(place)}#main`, place.directory)).until('failed');
  t.is(failed.code, 'SOURCE_INVALID');
  t.regex(failed.message, /^lib\/sub is a submodule/);
});

test('without a network the commit that was fetched last is the first update', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n', 'images/web.oci.tar': 'tar' });
  const text = `${fileUrl(place)}#main`;
  const first = await new Reader(t, open(text, place.directory)).until('revision');
  await rename(place.bare, `${place.bare}.away`);
  const reader = new Reader(t, open(text, place.directory));
  t.deepEqual((await reader.next()).value, first);
  t.is((await reader.next()).value.kind, 'failed');
});

test('what a git that was killed left behind is no obstacle', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const text = `${fileUrl(place)}#main`;
  await new Reader(t, open(text, place.directory)).until('revision');
  const gitDir = await fetchedInto(place);
  for (const name of ['shallow.lock', 'config.lock', 'refs/berth/candidate.lock', 'objects/pack/tmp_pack_x']) {
    await mkdir(join(gitDir, name, '..'), { recursive: true });
    await writeFile(join(gitDir, name), 'stale');
  }
  await place.write({ 'a.yaml': 'a: 2\n' });
  const reader = new Reader(t, open(text, place.directory));
  await reader.until('revision', ({ files }) => files[0]?.text === 'a: 2\n');
  t.deepEqual(
    await readdir(join(gitDir, 'objects/pack')).then((names) => names.filter((n) => n.startsWith('tmp_'))),
    [],
  );
});

test('a damaged local repository is made anew', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const text = `${fileUrl(place)}#main`;
  await new Reader(t, open(text, place.directory)).until('revision');
  const gitDir = await fetchedInto(place);
  await rm(join(gitDir, 'objects'), { recursive: true });
  await mkdir(join(gitDir, 'objects'));
  t.is((await new Reader(t, open(text, place.directory)).until('revision')).files.length, 1);
});

test('no configuration, hook or attribute of anybody is heeded', async (t) => {
  const place = await newGitPlace(t);
  const proof = join(place.directory, 'proof');
  const evil = `!touch ${proof}`;
  await writeFile(
    join(place.directory, '.gitconfig'),
    `[core]\n\tfsmonitor = "${evil}"\n[url "/nowhere"]\n\tinsteadOf = file://\n`,
  );
  const home = process.env['HOME'];
  process.env['HOME'] = place.directory;
  t.teardown(() => {
    process.env['HOME'] = home;
  });
  await place.write({ 'a.yaml': 'a: 1\n', '.gitattributes': '*.yaml filter=evil\n' });
  const reader = new Reader(t, open(`${fileUrl(place)}#main`, place.directory));
  await reader.until('revision');
  const hooks = join(await fetchedInto(place), 'hooks');
  await mkdir(hooks, { recursive: true });
  for (const name of ['reference-transaction', 'post-checkout', 'pre-auto-gc', 'post-merge']) {
    await writeFile(join(hooks, name), `#!/bin/sh\ntouch ${proof}\n`);
    await chmod(join(hooks, name), 0o755);
  }
  await place.write({ 'a.yaml': 'a: 2\n' });
  t.is((await reader.until('revision')).files[0]?.text, 'a: 2\n');
  await t.throwsAsync(readFile(proof), { code: 'ENOENT' });
});

test('credentials are sent, and stand in no name, argument or message', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const base = await serveGit(t, join(place.directory, 'served'), { credentials: 'bob:s3cret' });
  const good = open(`${base.replace('//', '//bob:s3cret@')}/app.git#main`, place.directory);
  t.is((await new Reader(t, good).until('revision')).files.length, 1);
  t.false(good.name.includes('s3cret'));
  const bad = open(`${base.replace('//', '//bob:wr0ng@')}/app.git#main`, join(place.directory, 'other'));
  const failed = await new Reader(t, bad).until('failed');
  t.is(failed.code, 'SOURCE_UNREACHABLE');
  t.false(failed.message.includes('wr0ng'));
});

test('a repository that has not changed is asked one small question', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const requests: string[] = [];
  const base = await serveGit(t, join(place.directory, 'served'), { onRequest: (line) => requests.push(line) });
  const reader = new Reader(t, open(`${base}/app.git#main`, place.directory));
  await reader.until('revision');
  requests.length = 0;
  await reader.until('unchanged');
  t.true(requests.length <= 2, requests.join());
  t.true(requests.every((line) => line.includes('git-upload-pack')));
});

test('an abort ends a git that hangs', async (t) => {
  const place = await newGitPlace(t);
  const reached = Promise.withResolvers<void>();
  const base = await serveGit(t, join(place.directory, 'served'), {
    onRequest: () => reached.resolve(),
    hang: true,
  });
  const controller = new AbortController();
  const reading = open(`${base}/app.git#main`, place.directory).read(controller.signal);
  await reached.promise;
  controller.abort();
  t.is((await reading).kind, 'failed');
});

async function fetchedInto(place: GitPlace): Promise<string> {
  const sources = join(place.directory, 'sources');
  const [name = ''] = await readdir(sources);
  return join(sources, name, 'repository.git');
}
