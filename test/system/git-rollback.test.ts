// A source goes forward only, also after the agent and what it fetched are gone.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import baseTest from 'ava';

import { GitSource } from '../../src/reconcile/git-source.ts';
import { parseSource } from '../../src/reconcile/parse-source.ts';
import type { SourceUpdate } from '../../src/reconcile/source.ts';
import { gitMissing, newGitPlace, serveGit, type GitPlace } from './git-server.ts';

const skip = gitMissing();
const test = skip === undefined ? baseTest : baseTest.skip;
const { signal } = new AbortController();

function open(place: GitPlace, fragment: string, url = pathToFileURL(place.bare).href): GitSource {
  const config = parseSource(`${url}#${fragment}`);
  if (config.kind !== 'git') throw new Error('no Git source');
  return new GitSource({ config, root: place.directory, intervalMs: 20 });
}

/** Read, as the agent does that puts what it reads in force. */
async function apply(source: GitSource): Promise<SourceUpdate> {
  const update = await source.read(signal);
  if (update.kind !== 'failed') await source.applied(update.revision, signal);
  return update;
}

async function change(place: GitPlace, text: string, force = false): Promise<string> {
  await place.write({ 'a.yaml': text }, { force });
  return place.git('rev-parse', 'HEAD');
}

test('commits that follow are taken, however many lie between', async (t) => {
  const place = await newGitPlace(t);
  const base = await serveGit(t, join(place.directory, 'served'));
  const url = `${base}/app.git`;
  await change(place, 'a: 1\n');
  t.is((await apply(open(place, 'main', url))).kind, 'revision');
  for (let count = 2; count < 20; count += 1) await change(place, `a: ${count}\n`);
  const last = await change(place, 'a: 20\n');
  t.like(await apply(open(place, 'main', url)), { kind: 'revision', revision: last });
  const history = await repositoryGit(place, 'rev-list', '--count', 'refs/berth/current');
  t.is(history, '1', 'and history is not kept');
  await repositoryGit(place, 'fsck', '--strict');
});

test('a rewritten branch is refused, by the next agent too, and without what was fetched', async (t) => {
  const place = await newGitPlace(t);
  await change(place, 'a: 1\n');
  const good = await change(place, 'a: 2\n');
  const source = open(place, 'main');
  await apply(source);
  const rewritten = await change(place, 'a: 3\n', true);
  const refused = await source.read(signal);
  t.like(refused, { kind: 'failed', code: 'SOURCE_ROLLBACK' });
  t.true(refused.kind === 'failed' && refused.message.includes(rewritten) && refused.message.includes(good));
  t.like(await open(place, 'main').read(signal), { code: 'SOURCE_ROLLBACK' });
  await rm(await gitDirectory(place), { recursive: true });
  t.like(await open(place, 'main').read(signal), { code: 'SOURCE_ROLLBACK' });

  place.git('push', '--quiet', '--force', 'served', `${good}~1:refs/heads/main`);
  t.like(await open(place, 'main').read(signal), { code: 'SOURCE_ROLLBACK' }, 'an older commit');

  place.git('push', '--quiet', '--force', 'served', `${good}:refs/heads/main`);
  t.like(await open(place, 'main').read(signal), { kind: 'revision', revision: good });
});

test('allowRollback takes what does not follow, and remembers it', async (t) => {
  const place = await newGitPlace(t);
  await change(place, 'a: 1\n');
  await apply(open(place, 'main'));
  const rewritten = await change(place, 'a: 2\n', true);
  t.like(await apply(open(place, 'main?allowRollback=true')), { kind: 'revision', revision: rewritten });
  const next = await change(place, 'a: 3\n');
  t.like(await apply(open(place, 'main')), { kind: 'revision', revision: next });
});

test('a revision that was never put in force binds nothing', async (t) => {
  const place = await newGitPlace(t);
  await change(place, 'a: 1\n');
  const source = open(place, 'main');
  await apply(source);
  await change(place, 'broken\n');
  t.is((await source.read(signal)).kind, 'revision');
  const mended = await change(place, 'a: 2\n', true);
  t.like(await apply(source), { kind: 'revision', revision: mended });
});

test('of a range of versions the highest tag is followed, on whatever branch, and never back', async (t) => {
  const place = await newGitPlace(t);
  const first = await change(place, 'a: 1\n');
  place.git('tag', 'v1.0.0');
  place.git('tag', 'latest');
  const second = await change(place, 'a: 2\n');
  place.git('tag', '--annotate', '--message=x', 'v1.10.0');
  place.git('tag', 'v1.9.0', first);
  place.git('tag', 'v2.0.0', first);
  place.git('tag', 'v1.11.0-rc.1', first);
  place.git('push', '--quiet', 'served', '--tags');
  t.like(await apply(open(place, 'semver:1.x')), { kind: 'revision', revision: second });
  t.like(await open(place, 'semver:3.x').read(signal), { kind: 'failed', code: 'SOURCE_MISSING' });

  place.git('-C', place.bare, 'tag', '--delete', 'v1.10.0');
  t.like(await open(place, 'semver:1.x').read(signal), { code: 'SOURCE_ROLLBACK' }, 'v1.9.0 is older');

  place.git('checkout', '--quiet', '-b', 'release', first);
  const side = await change(place, 'a: 3\n');
  place.git('tag', 'v1.12.0');
  place.git('push', '--quiet', 'served', '--tags');
  t.like(await apply(open(place, 'semver:1.x')), { kind: 'revision', revision: side });

  place.git('push', '--quiet', '--force', 'served', `${second}:refs/tags/v1.12.0`);
  t.like(await open(place, 'semver:1.x').read(signal), { code: 'SOURCE_ROLLBACK' }, 'a tag that was moved aside');
});

test('an annotated tag and a commit are followed; what has not changed is not fetched again', async (t) => {
  const place = await newGitPlace(t);
  const first = await change(place, 'a: 1\n');
  place.git('tag', '--annotate', '--message=x', 'v1');
  place.git('push', '--quiet', 'served', '--tags');
  await change(place, 'a: 2\n');
  const requests: string[] = [];
  const base = await serveGit(t, join(place.directory, 'served'), { onRequest: (line) => requests.push(line) });
  for (const fragment of ['tag:v1', `commit:${first}`]) {
    const updates = open(place, fragment, `${base}/app.git`).revisions(AbortSignal.timeout(20_000));
    t.like((await updates.next()).value, { kind: 'revision', revision: first });
    requests.length = 0;
    t.like((await updates.next()).value, { kind: 'unchanged', revision: first });
    t.is(requests.filter((line) => line.startsWith('POST')).length, fragment === 'tag:v1' ? 1 : 0, fragment);
    await updates.return(undefined);
  }
});

test('a record of what was applied that is damaged lets nothing in', async (t) => {
  const place = await newGitPlace(t);
  await change(place, 'a: 1\n');
  await apply(open(place, 'main'));
  const path = join(await gitDirectory(place), '..', 'applied');
  await writeFile(path, 'nonsense');
  await change(place, 'a: 2\n');
  const failed = await open(place, 'main').read(signal);
  t.like(failed, { kind: 'failed', code: 'SOURCE_IO' });
  t.regex(failed.kind === 'failed' ? failed.message : '', /applied is damaged/);
});

async function gitDirectory(place: GitPlace): Promise<string> {
  const sources = join(place.directory, 'sources');
  const [name = ''] = await readdir(sources);
  return join(sources, name, 'repository.git');
}

async function repositoryGit(place: GitPlace, ...args: readonly string[]): Promise<string> {
  return place.git('-C', await gitDirectory(place), ...args);
}
