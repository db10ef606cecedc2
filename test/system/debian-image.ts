// A whole Debian as an image, made by Debian's own tools, in Debian's own registry.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { freePort } from '../../examples/quickstart/machine.ts';

const run = promisify(execFile);
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
const PROGRAMS = ['mmdebstrap', 'umoci', 'skopeo', 'docker-registry'];
const NOT_NEEDED = ['/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/man/*', '/usr/share/info/*'];

/** Why such an image cannot be made here; undefined when it can. */
export async function debianUnusable(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const program of PROGRAMS) {
    const found = await run('sh', ['-c', `command -v ${program}`]).catch(() => undefined);
    if (found === undefined) return `${program} is not installed`;
  }
  return SOURCES.some((path) => existsSync(path)) ? undefined : 'no apt sources: not a Debian';
}

/** Make an OCI layout `<directory>/layout` with the image `1`: this machine's Debian with `packages`. Returns its path. */
export async function makeDebianImage(directory: string, packages: readonly string[]): Promise<string> {
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const tar = join(directory, 'root.tar');
  const layout = join(directory, 'layout');
  const excludes = NOT_NEEDED.map((path) => `--dpkgopt=path-exclude=${path}`);
  const sources = SOURCES.find((path) => existsSync(path)) ?? '';
  const options = ['--quiet', '--variant=minbase', `--include=${packages.join(',')}`, ...excludes];
  await run('mmdebstrap', [...options, suite, tar, sources]);
  await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', `${layout}:1`]);
  await run('umoci', ['raw', 'add-layer', '--image', `${layout}:1`, tar]);
  await run('umoci', ['config', '--image', `${layout}:1`, '--config.cmd', '/bin/bash', '--config.env', 'LANG=C.UTF-8']);
  return layout;
}

export type DebianRegistry = AsyncDisposable & {
  /** `127.0.0.1:port`, the registry part of references. */
  readonly host: string;
  /** Push the image `1` of a layout as `name:tag`; resolves with the digest that skopeo sees there. */
  readonly push: (layout: string, name: string) => Promise<string>;
};

/** Debian's docker-registry on a free loopback port, with its data below `directory`. Rejects when it does not answer. */
export async function startDebianRegistry(directory: string): Promise<DebianRegistry> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(directory, 'registry.yml');
  const storage = `storage: {filesystem: {rootdirectory: ${join(directory, 'registry')}}}`;
  writeFileSync(config, `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: '${host}'}\n`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) break;
    if ((await fetch(`http://${host}/v2/`).catch(() => undefined)) !== undefined) return registryAt(host, child);
    await sleep(50);
  }
  await end(child);
  throw new Error(`docker-registry does not answer on ${host}`);
}

function registryAt(host: string, child: ChildProcess): DebianRegistry {
  return {
    host,
    push: async (layout, name) => {
      const target = `docker://${host}/${name}`;
      await run('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', `oci:${layout}:1`, target]);
      const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', target]);
      return stdout.trim();
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
