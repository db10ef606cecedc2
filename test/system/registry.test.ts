// Against the programs that people have: Debian's docker-registry serves what umoci made and skopeo pushed, berth pulls it,
// and skopeo reads berth's store and archives.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { isOciError } from '../../src/oci/error.ts';
import { openContentStore, type ContentStore } from '../../src/oci/image/content-store.ts';
import { exportImage } from '../../src/oci/image/export.ts';
import { importImages } from '../../src/oci/image/import.ts';
import { pullImage } from '../../src/oci/image/pull.ts';
import { pushImage } from '../../src/oci/image/push.ts';
import { Credentials, credentialsFrom } from '../../src/oci/image/registry/credentials.ts';
import { resolveImage } from '../../src/oci/image/resolve.ts';
import { MemoryLayers } from '../oci/image/memory-layers.ts';

const missing = ['docker-registry', 'skopeo', 'umoci'].filter((program) => !isInstalled(program));
const installed = missing.length === 0 ? test.serial : test.serial.skip;
const why = missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} not installed)`;
// `alice:s3cret`, as htpasswd -B writes it.
const HTPASSWD = 'alice:$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n';

type Registry = { readonly host: string; readonly process: ChildProcess };

let directory = '';
let open: Registry | undefined;
let guarded: Registry | undefined;

test.before(async () => {
  if (missing.length > 0) return;
  directory = mkdtempSync(join(tmpdir(), 'berth-registry-'));
  makeImage(join(directory, 'made'));
  writeFileSync(join(directory, 'htpasswd'), HTPASSWD);
  open = await startRegistry('open', '');
  guarded = await startRegistry('guarded', `auth: {htpasswd: {realm: berth, path: ${join(directory, 'htpasswd')}}}\n`);
  skopeo('copy', '--dest-tls-verify=false', `oci:${directory}/made:1`, `docker://${open.host}/team/app:1`);
  const credentials = '--dest-creds=alice:s3cret';
  skopeo(
    'copy',
    '--dest-tls-verify=false',
    credentials,
    `oci:${directory}/made:1`,
    `docker://${guarded.host}/team/app:1`,
  );
});

test.after.always(async () => {
  for (const registry of [open, guarded]) await stop(registry);
  if (directory !== '') rmSync(directory, { recursive: true });
});

installed(`a pulled image has the digests that skopeo sees${why}`, async (t) => {
  const { store, layers, reference } = scene('pull', open);
  const image = await pullImage(reference, { store, layers });
  const seen = JSON.parse(skopeo('inspect', '--tls-verify=false', `docker://${reference}`)) as Seen;
  t.is(image.digest, seen.Digest);
  t.deepEqual(
    image.layers.map(({ descriptor }) => descriptor.digest),
    seen.Layers,
  );
  t.is(image.layers.length, 2);
  t.deepEqual(layers.list().toSorted(), image.layers.map(({ diffID }) => diffID).toSorted());
  t.deepEqual(readdirSync(store.ingestDirectory), []);
});

installed(`skopeo reads the content store as an OCI layout${why}`, async (t) => {
  const { store, layers, reference } = scene('layout', open);
  const image = await pullImage(reference, { store, layers });
  const seen = JSON.parse(skopeo('inspect', `oci:${store.directory}:${reference}`)) as Seen;
  t.is(seen.Digest, image.digest);
  skopeo('copy', `oci:${store.directory}:${reference}`, `oci:${directory}/copied:1`);
  const stat = JSON.parse(
    execFileSync('umoci', ['stat', '--json', '--image', `${directory}/copied:1`], { encoding: 'utf8' }),
  ) as object;
  t.truthy(stat);
});

installed(`a password opens a registry, and without one the error says what is missing${why}`, async (t) => {
  const { store, layers, reference } = scene('guarded', guarded);
  const error = await t.throwsAsync(pullImage(reference, { store, layers }));
  t.true(isOciError(error, 'REGISTRY_UNAUTHORIZED'));
  t.regex(error?.message ?? '', /no credentials are configured for 127\.0\.0\.1/);
  const credentials = new Credentials({ username: 'alice', password: 's3cret' });
  const image = await pullImage(reference, { store, layers, registry: { credentials: () => credentials } });
  t.is(resolveImage(store, reference)?.digest, image.digest);
});

installed(`the login that a credential helper keeps opens a registry${why}`, async (t) => {
  const { store, layers, reference } = scene('helper', guarded);
  const answer = JSON.stringify({ ServerURL: guarded?.host, Username: 'alice', Secret: 's3cret' });
  const program = join(directory, 'docker-credential-berthtest');
  writeFileSync(program, `#!/bin/sh\nread -r server && [ "$server" = '${guarded?.host}' ] && echo '${answer}'\n`, {
    mode: 0o755,
  });
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify({ auths: { [guarded?.host ?? '']: {} }, credsStore: 'berthtest' }));
  process.env['PATH'] = `${directory}:${process.env['PATH'] ?? ''}`;
  const image = await pullImage(reference, { store, layers, registry: { credentials: credentialsFrom([file]) } });
  t.is(resolveImage(store, reference)?.digest, image.digest);
});

installed(`what the registry does not have is not found${why}`, async (t) => {
  const { store, layers, reference } = scene('absent', open);
  const error = await t.throwsAsync(pullImage(`${reference}-no`, { store, layers }));
  t.true(isOciError(error, 'REGISTRY_NOT_FOUND'));
  t.regex(error?.message ?? '', /404 Not Found.*MANIFEST_UNKNOWN/);
});

for (const kind of ['oci-archive', 'docker-archive'] as const) {
  installed(`${kind}s that skopeo writes are imported${why}`, async (t) => {
    const { store, layers } = scene(kind, open);
    const path = join(directory, `${kind}.tar`);
    skopeo('copy', `oci:${directory}/made:1`, `${kind}:${path}:app:7`);
    const [image] = await importImages(path, { store, layers });
    t.is(image?.reference, 'docker.io/library/app:7');
    t.is(layers.list().length, 2);
  });
}

installed(`an exported image is an oci-archive to skopeo${why}`, async (t) => {
  const { store, layers, reference } = scene('export', open);
  const image = await pullImage(reference, { store, layers });
  const path = join(directory, 'exported.tar');
  await exportImage(image, path, { store });
  const seen = JSON.parse(skopeo('inspect', `oci-archive:${path}`)) as Seen;
  t.is(seen.Digest, image.digest);
});

installed(`a pushed image is what skopeo reads back, and nothing is sent twice${why}`, async (t) => {
  const { store, layers, reference } = scene('push', open);
  const image = await pullImage(reference, { store, layers });
  const outcomes: string[] = [];
  const options = { store, onBlob: (_: unknown, outcome: string): unknown => outcomes.push(outcome) };
  const host = open?.host ?? '';
  t.is(await pushImage(reference, `${host}/other/app:2`, options), image.digest);
  t.deepEqual(outcomes, ['mounted', 'mounted', 'mounted']);
  t.is(await pushImage(reference, `${host}/other/app:3`, options), image.digest);
  t.deepEqual(outcomes.slice(3), ['present', 'present', 'present']);
  const credentials = new Credentials({ username: 'alice', password: 's3cret' });
  const registry = { credentials: () => credentials };
  const target = `${guarded?.host ?? ''}/pushed/app:1`;
  t.is(await pushImage(reference, target, { ...options, registry }), image.digest);
  t.deepEqual(outcomes.slice(6), ['sent', 'sent', 'sent']);
  skopeo('copy', '--src-tls-verify=false', '--src-creds=alice:s3cret', `docker://${target}`, `oci:${directory}/back:1`);
  const seen = JSON.parse(skopeo('inspect', `oci:${directory}/back:1`)) as Seen;
  t.is(seen.Digest, image.digest);
  const error = await t.throwsAsync(pushImage(reference, target, { store }));
  t.true(isOciError(error, 'REGISTRY_UNAUTHORIZED'));
});

type Seen = { readonly Digest: string; readonly Layers: string[] };

function scene(
  name: string,
  registry: Registry | undefined,
): { store: ContentStore; layers: MemoryLayers; reference: string } {
  const store = openContentStore(join(directory, `root-${name}`));
  return { store, layers: new MemoryLayers(), reference: `${registry?.host ?? ''}/team/app:1` };
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** An image of two layers with the tag `1`, by umoci. */
function makeImage(layout: string): void {
  const files = join(directory, 'files');
  mkdirSync(files);
  for (let at = 0; at < 50; at += 1) writeFileSync(join(files, `${at}.txt`), `${at}\n`.repeat(5000));
  umoci('init', '--layout', layout);
  umoci('new', '--image', `${layout}:1`);
  umoci('insert', '--rootless', '--image', `${layout}:1`, files, '/files');
  umoci('insert', '--rootless', '--image', `${layout}:1`, join(files, '0.txt'), '/zero');
  umoci('config', '--image', `${layout}:1`, '--config.cmd', '/bin/true');
}

function umoci(...words: string[]): void {
  execFileSync('umoci', words, { stdio: 'ignore' });
}

function skopeo(...words: string[]): string {
  return execFileSync('skopeo', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

async function startRegistry(name: string, more: string): Promise<Registry> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(directory, `${name}.yml`);
  const storage = `storage: {filesystem: {rootdirectory: ${join(directory, name)}}}`;
  writeFileSync(config, `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: '${host}'}\n${more}`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const registry = { host, process: child };
  for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer !== undefined) return registry;
    await sleep(50);
  }
  await stop(registry);
  throw new Error(`docker-registry does not answer on ${host}`);
}

async function stop(registry: Registry | undefined): Promise<void> {
  if (registry === undefined || registry.process.exitCode !== null) return;
  registry.process.kill('SIGKILL');
  await once(registry.process, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
