// Debian's kernel for virtual machines: downloaded by apt, unpacked, never installed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

const META_PACKAGE = 'linux-image-cloud-amd64';

export type Kernel = {
  /** The bootable image. */
  readonly image: string;
  /** /lib/modules/VERSION of the package. */
  readonly modules: string;
};

/** The newest kernel that apt knows, unpacked below `cache`. Throws with what apt said when there is none. */
export function debianKernel(cache: string): Kernel {
  const name = kernelPackage(apt('apt-cache', ['depends', META_PACKAGE]));
  const version = /^\s*Candidate:\s*(\S+)/m.exec(apt('apt-cache', ['policy', name]))?.[1] ?? 'unknown';
  const directory = join(cache, `${name}_${version.replace(':', '_')}`);
  if (!existsSync(directory)) unpack(name, directory, cache);
  const image = only(join(directory, 'boot'), /^vmlinuz-/);
  return { image, modules: only(join(directory, 'lib/modules'), /./) };
}

/** The package of the real kernel in the output of `apt-cache depends`. */
export function kernelPackage(depends: string): string {
  const name = /^\s*Depends: (linux-image-\S+)/m.exec(depends)?.[1];
  if (name === undefined) throw new Error(`apt knows no ${META_PACKAGE}: run 'apt-get update' on Debian 12`);
  return name;
}

function unpack(name: string, directory: string, cache: string): void {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'download.'));
  try {
    apt('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', '-qq', name], work);
    execFileSync('dpkg-deb', ['-x', only(work, /\.deb$/), join(work, 'root')]);
    renameSync(join(work, 'root'), directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function apt(program: string, args: readonly string[], cwd?: string): string {
  return execFileSync(program, args, { encoding: 'utf8', cwd, env: { ...process.env, LC_ALL: 'C' } });
}

function only(directory: string, pattern: RegExp): string {
  const name = readdirSync(directory).find((entry) => pattern.test(entry));
  if (name === undefined) throw new Error(`Nothing in ${directory} is named like ${pattern.source}`);
  return join(directory, name);
}

/** Files of the modules `names` and of all that they depend on, in an order in which they can be loaded. Built-in ones are left out. */
export function moduleFiles(modules: string, names: readonly string[]): string[] {
  const paths = readdirSync(join(modules, 'kernel'), { recursive: true, encoding: 'utf8' });
  const files = new Map(
    paths.filter((path) => path.endsWith('.ko')).map((path) => [moduleName(path), join(modules, 'kernel', path)]),
  );
  const ordered = new Set<string>();
  const add = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || ordered.has(file)) return;
    for (const needed of moduleDependencies(readFileSync(file))) add(needed);
    ordered.add(file);
  };
  for (const name of names) add(name);
  return [...ordered];
}

/** The `depends` of a module's section .modinfo: names with commas between. Pure. */
export function moduleDependencies(module: Buffer): string[] {
  const list = /\0depends=([^\0]*)\0/.exec(module.toString('latin1'))?.[1] ?? '';
  return list.split(',').filter(Boolean).map(moduleName);
}

/** The kernel takes `-` and `_` in names for the same. */
function moduleName(path: string): string {
  return basename(path, '.ko').replaceAll('-', '_');
}
