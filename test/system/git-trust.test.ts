// Only what was signed by somebody who may is taken; keys and signatures are those of ssh-keygen, gpg and git themselves.
import { spawnSync } from 'node:child_process';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import baseTest from 'ava';

import { GitSource } from '../../src/reconcile/git-source.ts';
import { parseSource } from '../../src/reconcile/parse-source.ts';
import { Reader } from '../contract/source.ts';
import { gitMissing, newGitPlace, type GitPlace } from './git-server.ts';
import { commitSigned, newPgpSigner, newSshSigner } from './git-signers.ts';

const missing = ['ssh-keygen', 'gpg'].find((program) => spawnSync('which', [program]).status !== 0);
const skip = gitMissing() ?? (missing === undefined ? undefined : `${missing} is not installed`);
const test = skip === undefined ? baseTest : baseTest.skip;

function open(place: GitPlace, fragment: string): GitSource {
  const config = parseSource(`${pathToFileURL(place.bare).href}#${fragment}`);
  if (config.kind !== 'git') throw new Error('no Git source');
  return new GitSource({ config, root: place.directory, intervalMs: 20 });
}

async function allow(place: GitPlace, ...lines: readonly string[]): Promise<string> {
  const file = join(place.directory, 'allowed_signers');
  await writeFile(`${file}.new`, lines.map((line) => `${line}\n`).join(''));
  await rename(`${file}.new`, file);
  return file;
}

test('a commit that an allowed SSH key has signed is taken; unsigned, strange and altered ones each say why not', async (t) => {
  const place = await newGitPlace(t);
  const [ann, eve] = [newSshSigner(place, 'ann'), newSshSigner(place, 'eve')];
  const signers = await allow(place, `ann@example.test namespaces="git" ${ann.publicKey}`);
  const good = commitSigned(place, ann, 'Good');
  const reader = new Reader(t, open(place, `main?verify=ssh&signers=${signers}`));
  t.is((await reader.until('revision')).revision, good);

  const unsigned = commitSigned(place, undefined, 'Unsigned');
  const first = await reader.until('failed');
  t.is(first.code, 'SOURCE_UNSIGNED');
  t.true(first.message.includes(unsigned) && first.message.includes(signers), first.message);

  commitSigned(place, eve, 'Strange');
  const second = await reader.until('failed');
  t.is(second.code, 'SOURCE_SIGNER_UNKNOWN');
  t.regex(second.message, /key SHA256:\S{43} is not in/);

  const raw = place.git('cat-file', 'commit', commitSigned(place, ann, 'Signed'));
  await writeFile(join(place.directory, 'altered'), `${raw.replace('\n\nSigned', '\n\nAltered')}\n`);
  const altered = place.git('hash-object', '-t', 'commit', '-w', join(place.directory, 'altered'));
  place.git('push', '--quiet', '--force', 'served', `${altered}:refs/heads/main`);
  const third = await reader.until('failed', ({ message }) => message.includes(altered));
  t.is(third.code, 'SOURCE_SIGNATURE_INVALID');
  t.deepEqual(
    (await leftovers(place)).filter((name) => name.startsWith('verify-')),
    [],
  );
});

test('a key counts for the time that the file of signers gives it, and a change of the file is noticed', async (t) => {
  const place = await newGitPlace(t);
  const ann = newSshSigner(place, 'ann');
  const signers = await allow(place, `ann@example.test valid-before="20200101" ${ann.publicKey}`);
  const commit = commitSigned(place, ann, 'Late');
  const reader = new Reader(t, open(place, `main?verify=ssh&signers=${signers}`));
  const failed = await reader.until('failed');
  t.is(failed.code, 'SOURCE_SIGNER_EXPIRED');
  await allow(place, `ann@example.test valid-after="20200101" ${ann.publicKey}`);
  t.is((await reader.until('revision')).revision, commit);
});

test('a key that may not sign for git signs nothing', async (t) => {
  const place = await newGitPlace(t);
  const ann = newSshSigner(place, 'ann');
  const signers = await allow(place, `ann@example.test namespaces="file" ${ann.publicKey}`);
  commitSigned(place, ann, 'Wrong namespace');
  const failed = await new Reader(t, open(place, `main?verify=ssh&signers=${signers}`)).until('failed');
  t.regex(failed.code, /^SOURCE_SIGN/);
});

test('what was fetched before signatures were required is not begun with', async (t) => {
  const place = await newGitPlace(t);
  const ann = newSshSigner(place, 'ann');
  const signers = await allow(place, `ann@example.test ${ann.publicKey}`);
  commitSigned(place, undefined, 'Unsigned');
  await new Reader(t, open(place, 'main')).until('revision');
  const failed = (await new Reader(t, open(place, `main?verify=ssh&signers=${signers}`)).next()).value;
  t.like(failed, { kind: 'failed', code: 'SOURCE_UNSIGNED' });
  const signed = commitSigned(place, ann, 'Signed');
  await new Reader(t, open(place, `main?verify=ssh&signers=${signers}`)).until('revision');
  await rename(place.bare, `${place.bare}.away`);
  const offline = (await new Reader(t, open(place, `main?verify=ssh&signers=${signers}`)).next()).value;
  t.like(offline, { kind: 'revision', revision: signed });
});

test('a file of signers that is missing lets nothing in and throws nothing away', async (t) => {
  const place = await newGitPlace(t);
  const ann = newSshSigner(place, 'ann');
  const signers = await allow(place, `ann@example.test ${ann.publicKey}`);
  const text = `main?verify=ssh&signers=${signers}`;
  commitSigned(place, ann, 'Good');
  const reader = new Reader(t, open(place, text));
  await reader.until('revision');
  await rm(signers);
  commitSigned(place, ann, 'Next');
  const failed = await reader.until('failed');
  t.is(failed.code, 'SOURCE_IO');
  t.regex(failed.message, /Cannot read the file of signers/);
  await allow(place, `ann@example.test ${ann.publicKey}`);
  t.truthy(await reader.until('revision'));
});

test('a signed tag counts under its own name, and its signature makes up for an unsigned commit', async (t) => {
  const place = await newGitPlace(t);
  const [ann, eve] = [newSshSigner(place, 'ann'), newSshSigner(place, 'eve')];
  const signers = await allow(place, `ann@example.test ${ann.publicKey}`);
  const commit = commitSigned(place, undefined, 'Unsigned');
  place.git(...ann.options, 'tag', '--sign', '--message=One', 'v1');
  place.git(...eve.options, 'tag', '--sign', '--message=Two', 'v2');
  place.git('tag', '--annotate', '--message=Three', 'v3');
  place.git('update-ref', 'refs/tags/v4', 'refs/tags/v1');
  place.git('push', '--quiet', 'served', '--tags');
  const read = (tag: string) =>
    open(place, `tag:${tag}?verify=ssh&signers=${signers}`).read(new AbortController().signal);
  t.like(await read('v1'), { kind: 'revision', revision: commit });
  t.like(await read('v2'), { kind: 'failed', code: 'SOURCE_SIGNER_UNKNOWN' });
  t.like(await read('v3'), { kind: 'failed', code: 'SOURCE_UNSIGNED' });
  t.like(await read('v4'), { kind: 'failed', code: 'SOURCE_SIGNATURE_INVALID' });
});

test('OpenPGP: a known key is taken; unknown, expired and altered ones each say why not', async (t) => {
  const place = await newGitPlace(t);
  const ann = newPgpSigner(t, place, 'ann');
  const eve = newPgpSigner(t, place, 'eve');
  const old = newPgpSigner(t, place, 'old', 'seconds=2');
  const signers = join(place.directory, 'keys.asc');
  const good = commitSigned(place, ann, 'Good');
  const soon = commitSigned(place, old, 'Signed while the key was valid');
  await writeFile(signers, `${ann.publicKey}\n${old.publicKey}\n`);
  const read = (commit: string) =>
    open(place, `commit:${commit}?verify=openpgp&signers=${signers}`).read(new AbortController().signal);
  t.like(await read(good), { kind: 'revision', revision: good });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.like(await read(soon), { kind: 'failed', code: 'SOURCE_SIGNER_EXPIRED' });
  t.like(await read(commitSigned(place, eve, 'Strange')), { kind: 'failed', code: 'SOURCE_SIGNER_UNKNOWN' });
  t.like(await read(commitSigned(place, newSshSigner(place, 'ssh'), 'SSH')), {
    kind: 'failed',
    code: 'SOURCE_SIGNATURE_INVALID',
  });
  const raw = place.git('cat-file', 'commit', good);
  await writeFile(join(place.directory, 'altered'), `${raw.replace('\n\nGood', '\n\nEvil')}\n`);
  const altered = place.git('hash-object', '-t', 'commit', '-w', join(place.directory, 'altered'));
  place.git('push', '--quiet', '--force', 'served', `${altered}:refs/heads/main`);
  t.like(await read(altered), { kind: 'failed', code: 'SOURCE_SIGNATURE_INVALID' });
});

async function leftovers(place: GitPlace): Promise<string[]> {
  const sources = join(place.directory, 'sources');
  const names = await readdir(sources);
  return (await Promise.all(names.map((name) => readdir(join(sources, name))))).flat();
}
