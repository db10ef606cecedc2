// How a repository is reached: tokens in files, keys of ssh, files on a stick; and what happens when there is too much of it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomBytes } from 'node:crypto';

import baseTest, { type ExecutionContext } from 'ava';

import { GitSource } from '../../src/reconcile/git-source.ts';
import { parseSource } from '../../src/reconcile/parse-source.ts';
import { Reader } from '../contract/source.ts';
import { gitMissing, newGitPlace, serveGit, type GitPlace } from './git-server.ts';
import { commitSigned, newSshSigner } from './git-signers.ts';

const skip = gitMissing();
const test = skip === undefined ? baseTest : baseTest.skip;
const SSHD = '/usr/sbin/sshd';
const sshTest = skip === undefined && spawnSync(SSHD, ['-V']).error === undefined ? baseTest : baseTest.skip;
const { signal } = new AbortController();

function open(place: GitPlace, text: string): GitSource {
  const config = parseSource(text);
  if (config.kind !== 'git') throw new Error('no Git source');
  return new GitSource({ config, root: place.directory, intervalMs: 20 });
}

test('a token in a file is sent, is read anew when it changes, and stands in no message, argument or record', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const base = await serveGit(t, join(place.directory, 'served'), { credentials: 'git:t0ken' });
  const file = join(place.directory, 'token');
  await writeFile(file, 'wr0ng\n', { mode: 0o600 });
  const reader = new Reader(t, open(place, `${base}/app.git#main?credentials=${file}`));
  const failed = await reader.until('failed');
  t.is(failed.code, 'SOURCE_UNREACHABLE');
  t.false(failed.message.includes('wr0ng'));
  await writeFile(file, 't0ken\n');
  t.truthy(await reader.until('revision'));
  const kept = spawnSync('grep', ['-r', 't0ken', join(place.directory, 'sources')]);
  t.is(kept.status, 1, 'nothing of it on disk');
  await chmod(file, 0o644);
  await place.write({ 'a.yaml': 'a: 2\n' });
  t.regex((await reader.until('failed')).message, /everybody may read it; chmod 600/);
});

test('a repository that is too large is cut short, told once, and leaves the disk as it was', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const base = await serveGit(t, join(place.directory, 'served'));
  const reader = new Reader(t, open(place, `${base}/app.git#main?maxFetchMiB=8`));
  const good = await reader.until('revision');
  const big = join(place.directory, 'work', 'images', 'big.oci.tar');
  await mkdir(join(big, '..'), { recursive: true });
  fillRandom(big, 24);
  await place.write({});
  const failed = await reader.until('failed');
  t.is(failed.code, 'SOURCE_INVALID');
  t.regex(failed.message, /more than 8 MiB to fetch; maxFetchMiB=N allows more/);
  const sizes = spawnSync('du', ['-sm', join(place.directory, 'sources')], { encoding: 'utf8' }).stdout;
  t.true(Number.parseInt(sizes, 10) < 4, sizes);
  await place.write({ 'images/big.oci.tar': undefined, 'a.yaml': 'a: 2\n' });
  place.git('reset', '--quiet', '--soft', good.revision);
  await place.write({});
  t.is((await reader.until('revision')).files[0]?.text, 'a: 2\n');
});

test('one file of 1 GiB that compresses to nothing is refused', async (t) => {
  const place = await newGitPlace(t);
  const big = join(place.directory, 'work', 'big.yaml');
  await writeFile(big, '');
  await truncate(big, 1024 * 1024 * 1024);
  await place.write({});
  const failed = await new Reader(t, open(place, `${pathToFileURL(place.bare).href}#main`)).until('failed');
  t.is(failed.code, 'SOURCE_INVALID');
  t.regex(failed.message, /big\.yaml has 1073741824 bytes/);
});

test('a bundle on a stick is a source; half of one, or none, changes nothing', async (t) => {
  const place = await newGitPlace(t);
  const stick = join(place.directory, 'stick');
  await mkdir(stick);
  const file = join(stick, 'fleet.bundle');
  const write = async (text: string, share = 1) => {
    await place.write({ 'nodes/one/a.yaml': text, 'nodes/one/images/web.oci.tar': text });
    place.git('bundle', 'create', '--quiet', `${file}.new`, 'main');
    const { length } = await readFile(`${file}.new`);
    await truncate(`${file}.new`, Math.floor(length * share));
    await rename(`${file}.new`, file);
  };
  const reader = new Reader(t, open(place, `bundle:${file}#main:nodes/one`));
  t.is((await reader.until('failed')).code, 'SOURCE_MISSING');
  await write('a: 1\n');
  const first = await reader.until('revision');
  t.is(first.files[0]?.text, 'a: 1\n');
  t.is(await readFile(first.images[0]?.path ?? '', 'utf8'), 'a: 1\n');
  t.is((await reader.until('unchanged')).revision, first.revision);

  await write('a: 2\n', 0.8);
  t.is((await reader.until('failed')).code, 'SOURCE_UNREACHABLE');
  await rm(file);
  t.is((await reader.until('failed')).code, 'SOURCE_MISSING');
  await write('a: 3\n');
  t.is((await reader.until('revision')).files[0]?.text, 'a: 3\n');
});

test('a bundle is checked for who has signed it and for what it comes after, like any repository', async (t) => {
  const place = await newGitPlace(t);
  const ann = newSshSigner(place, 'ann');
  const signers = join(place.directory, 'signers');
  await writeFile(signers, `ann@example.test ${ann.publicKey}\n`);
  const file = join(place.directory, 'fleet.bundle');
  const text = `bundle:${file}#main?verify=ssh&signers=${signers}`;
  const bundle = () => place.git('bundle', 'create', '--quiet', file, 'main');
  const first = commitSigned(place, ann, 'One');
  bundle();
  await copyFile(file, `${file}.old`);
  const second = commitSigned(place, ann, 'Two');
  bundle();
  const source = open(place, text);
  t.like(await source.read(signal), { kind: 'revision', revision: second });
  await source.applied(second, signal);
  await rename(`${file}.old`, file);
  const refused = await source.read(signal);
  t.like(refused, { kind: 'failed', code: 'SOURCE_ROLLBACK' });
  t.true(refused.kind === 'failed' && refused.message.includes(first));
  commitSigned(place, undefined, 'Three');
  bundle();
  t.like(await source.read(signal), { kind: 'failed', code: 'SOURCE_UNSIGNED' });
  const fourth = commitSigned(place, ann, 'Four');
  place.git('bundle', 'create', '--quiet', file, `${second}..main`);
  t.like(await source.read(signal), { kind: 'revision', revision: fourth }, 'a bundle of what is new alone');
});

sshTest('ssh: a key and known hosts from files; a host that is not known is not spoken to', async (t) => {
  const place = await newGitPlace(t);
  await place.write({ 'a.yaml': 'a: 1\n' });
  const { port, key, knownHosts } = await serveSsh(t, place);
  const url = `ssh://root@127.0.0.1:${port}${place.bare}#main?sshKey=${key}&knownHosts=${knownHosts}`;
  const reader = new Reader(t, open(place, url));
  const first = await reader.until('revision');
  await place.write({ 'a.yaml': 'a: 2\n' });
  t.not((await reader.until('revision')).revision, first.revision);

  const empty = join(place.directory, 'nobody');
  await writeFile(empty, '');
  const other = join(place.directory, 'other');
  const stranger = await new Reader(t, open({ ...place, directory: other }, url.replace(knownHosts, empty))).until(
    'failed',
  );
  t.is(stranger.code, 'SOURCE_UNREACHABLE');
  t.regex(stranger.message, /Host key verification failed/);
  const wrong = newSshSigner(place, 'wrong');
  t.truthy(wrong);
  const locked = url.replace(key, join(place.directory, 'wrong'));
  const denied = await new Reader(t, open({ ...place, directory: other }, locked)).until('failed');
  t.regex(denied.message, /Permission denied/);
});

type SshServer = { readonly port: number; readonly key: string; readonly knownHosts: string };

/** Debian's sshd on loopback, for this test's key alone. */
async function serveSsh(t: ExecutionContext, place: GitPlace): Promise<SshServer> {
  const directory = join(place.directory, 'ssh');
  await mkdir(directory, { mode: 0o700 });
  await mkdir('/run/sshd', { recursive: true });
  const client = newSshSigner(place, 'ssh/client');
  const host = newSshSigner(place, 'ssh/host');
  await writeFile(join(directory, 'authorized'), `${client.publicKey}\n`, { mode: 0o600 });
  const port = await freePort();
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${host.publicKey}\n`);
  const options = [`Port=${port}`, 'ListenAddress=127.0.0.1', `HostKey=${join(directory, 'host')}`, 'StrictModes=no'];
  options.push(
    `AuthorizedKeysFile=${join(directory, 'authorized')}`,
    'PidFile=none',
    'UsePAM=no',
    'PermitRootLogin=yes',
  );
  const child = spawn(SSHD, ['-D', '-e', '-f', '/dev/null', ...options.flatMap((option) => ['-o', option])], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  t.teardown(async () => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill()) await ended;
  });
  await listening(port);
  return { port, key: join(directory, 'client'), knownHosts };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function fillRandom(path: string, mebibytes: number): void {
  const fd = openSync(path, 'w');
  for (let count = 0; count < mebibytes; count += 1) writeSync(fd, randomBytes(1024 * 1024));
  closeSync(fd);
}
