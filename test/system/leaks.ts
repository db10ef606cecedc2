// What a test may leave behind on a machine, before and after: processes, mounts, cgroups, links, nft tables, files.
//
//   const before = snapshot({ directories: [home], cgroupParent: '/berth-test-1' });
//   test.after.always(() => assertNoLeaksSince(before));
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type LeakPart = 'processes' | 'mounts' | 'cgroups' | 'links' | 'nftTables' | 'files';

/** What to look at. Without directories and parent: everything on the machine that bears berth's name. */
export type LeakScope = {
  /** Directories of the test: processes that hold files in them, mounts and files below them. */
  readonly directories?: readonly string[];
  /** Cgroups below it, in every hierarchy, and the processes in them. */
  readonly cgroupParent?: string;
  /** Default: all parts. Links and nft tables belong to the whole machine: leave them out where others work too. */
  readonly parts?: readonly LeakPart[];
};

export type Snapshot = { readonly scope: LeakScope; readonly found: Readonly<Record<LeakPart, readonly string[]>> };

const PARTS: readonly LeakPart[] = ['processes', 'mounts', 'cgroups', 'links', 'nftTables', 'files'];
const SETTLE_MS = 5000;
const POLL_MS = 50;

/** Everything in scope that exists now. */
export function snapshot(scope: LeakScope = {}): Snapshot {
  const find: Readonly<Record<LeakPart, (scope: LeakScope) => string[]>> = {
    processes,
    mounts,
    cgroups,
    links,
    nftTables,
    files,
  };
  const parts = new Set(scope.parts ?? PARTS);
  const found = Object.fromEntries(PARTS.map((part) => [part, parts.has(part) ? find[part](scope) : []]));
  return { scope, found: found as Record<LeakPart, string[]> };
}

/** What `after` has and `before` has not, a line each. */
export function leaksBetween(before: Snapshot, after: Snapshot): string[] {
  return PARTS.flatMap((part) => {
    const known = new Set(before.found[part]);
    return after.found[part].filter((item) => !known.has(item)).map((item) => `${part}: ${item}`);
  });
}

/** Throws AssertionError with the list when `after` has more than `before`. */
export function assertNoLeaks(before: Snapshot, after: Snapshot): void {
  const leaks = leaksBetween(before, after);
  assert.ok(leaks.length === 0, `left behind:\n  ${leaks.join('\n  ')}`);
}

/** The same with what exists now, after the kernel had a moment to finish (network namespaces are taken down later). */
export async function assertNoLeaksSince(before: Snapshot): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const after = snapshot(before.scope);
    if (leaksBetween(before, after).length === 0) return;
    if (Date.now() > deadline) assertNoLeaks(before, after);
    await sleep(POLL_MS);
  }
}

function processes(scope: LeakScope): string[] {
  const own = String(process.pid);
  return listDirectory('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== own && belongs(name, scope))
    .map((pid) => `${pid} ${readText(`/proc/${pid}/comm`).trim()} ${commandLine(pid)}`);
}

function belongs(pid: string, { directories = [], cgroupParent }: LeakScope): boolean {
  if (cgroupParent !== undefined && inCgroup(pid, cgroupParent)) return true;
  if (!readText(`/proc/${pid}/comm`).startsWith('berth') && !commandLine(pid).includes('berth')) return false;
  if (directories.length === 0) return cgroupParent === undefined && !isAncestor(pid);
  const named = directories.some((directory) => commandLine(pid).includes(directory));
  return (named && !isAncestor(pid)) || openFiles(pid).some((file) => isBelow(file, directories));
}

function inCgroup(pid: string, parent: string): boolean {
  return readText(`/proc/${pid}/cgroup`)
    .split('\n')
    .some((line) => isBelow(line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1), [parent]));
}

/** Whether it is one that started this process (npm, the test runner): its command line may name what is tested. */
function isAncestor(pid: string): boolean {
  for (let parent = String(process.ppid); parent !== '0' && parent !== ''; parent = parentOf(parent)) {
    if (parent === pid) return true;
  }
  return false;
}

function parentOf(pid: string): string {
  return /^PPid:\s*(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? '';
}

function commandLine(pid: string): string {
  return readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function openFiles(pid: string): string[] {
  return listDirectory(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

function mounts({ directories = [] }: LeakScope): string[] {
  const points = readText('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const words = line.split(' ');
      return { point: words[4] ?? '', type: words[words.indexOf('-') + 1] ?? '' };
    });
  const inScope = directories.length === 0 ? points : points.filter(({ point }) => isBelow(point, directories));
  return inScope.map(({ point, type }) => `${point} (${type})`);
}

function cgroups({ cgroupParent, directories }: LeakScope): string[] {
  const roots = [...readText('/proc/self/mountinfo').matchAll(/^(?:\S+ ){4}(\S+) .* - cgroup2? /gm)].map(
    (match) => match[1] ?? '',
  );
  if (cgroupParent !== undefined) {
    return roots
      .map((root) => join(root, cgroupParent))
      .flatMap((top) => (existsSync(top) ? directoriesBelow(top) : []));
  }
  if (directories !== undefined) return [];
  return roots.flatMap((root) =>
    listDirectory(root)
      .filter((name) => name.startsWith('berth'))
      .map((name) => join(root, name)),
  );
}

function directoriesBelow(top: string): string[] {
  const children = readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [top, ...children.flatMap((entry) => directoriesBelow(join(top, entry.name)))];
}

function links(): string[] {
  return listDirectory('/sys/class/net');
}

/** By absolute path: a package named nft may stand first in an npm script's PATH. */
function nftTables(): string[] {
  const nft = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft'].find((path) => existsSync(path));
  if (nft === undefined || process.getuid?.() !== 0) return [];
  try {
    return execFileSync(nft, ['list', 'tables'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return []; // a kernel without nf_tables has no tables
  }
}

function files({ directories = [] }: LeakScope): string[] {
  return directories.flatMap((directory) =>
    existsSync(directory)
      ? [
          directory,
          ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path)),
        ]
      : [],
  );
}

function isBelow(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => path === directory || path.startsWith(`${directory}/`));
}

/** Empty when it is gone: processes end while one looks. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
