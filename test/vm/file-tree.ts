// The files of the virtual machine, gathered from this one: programs with their libraries, directories, links, texts.
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type CpioEntry, S_IFDIR, S_IFLNK, S_IFREG } from './cpio.ts';

const PERMISSIONS = 0o7777;

/** Files by absolute path in the machine, each directory before what is in it. */
export class FileTree {
  readonly #entries = new Map<string, CpioEntry>();

  get entries(): ReadonlyMap<string, CpioEntry> {
    return this.#entries;
  }

  directory(path: string, mode = 0o755): void {
    if (path === '/' || this.#entries.has(path)) return;
    this.directory(dirname(path));
    this.#entries.set(path, { mode: S_IFDIR | mode });
  }

  text(path: string, text: string, mode = 0o644): void {
    this.#add(path, { mode: S_IFREG | mode, data: Buffer.from(text) });
  }

  link(path: string, target: string): void {
    this.#add(path, { mode: S_IFLNK | 0o777, data: Buffer.from(target) });
  }

  /** A file of this machine, followed when it is a link. */
  file(path: string, source = path): void {
    const real = realpathSync(source);
    this.#add(path, { mode: S_IFREG | (lstatSync(real).mode & PERMISSIONS), source: real });
  }

  /** A directory of this machine with all that `wanted` says yes to, links as they are. */
  directoryOf(path: string, source: string, wanted: (relative: string) => boolean, relative = ''): void {
    this.directory(path);
    for (const entry of readdirSync(source, { withFileTypes: true })) {
      const [name, from, to] = [join(relative, entry.name), join(source, entry.name), join(path, entry.name)];
      if (!wanted(name)) continue;
      if (entry.isSymbolicLink()) this.link(to, readlinkSync(from));
      else if (entry.isDirectory()) this.directoryOf(to, from, wanted, name);
      else if (entry.isFile()) this.file(to, from);
    }
  }

  /** A program, and the libraries that it is linked with. */
  program(path: string, source = path): void {
    this.file(path, source);
    for (const library of librariesOf(source)) this.file(library);
  }

  #add(path: string, entry: CpioEntry): void {
    if (this.#entries.has(path)) return;
    this.directory(dirname(path));
    this.#entries.set(path, entry);
  }
}

/** What ldd(1) finds; nothing for a static program or a script. */
function librariesOf(program: string): string[] {
  try {
    return parseLdd(execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return [];
  }
}

/** Lines of `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and the loader's alone: `/lib64/ld-linux-x86-64.so.2 (0x…)`. */
export function parseLdd(output: string): string[] {
  return [...output.matchAll(/(?:^|\s)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
}
