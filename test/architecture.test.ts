// What the house looks like, checked: docs/architecture.md says why.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LONGEST = 300;

function filesBelow(...directories: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|js)$/.test(path))
      .map((path) => join(directory, path)),
  );
}

const SOURCES = filesBelow('src').map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

/** What each layer may import, itself included. `spec` stands beside the layers: the reconciler and above use it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  linux: ['linux'],
  oci: ['linux', 'oci'],
  spec: ['spec', 'oci/image', 'oci/error.ts'],
  reconcile: ['linux', 'oci', 'spec', 'reconcile'],
  agent: ['linux', 'oci', 'spec', 'reconcile', 'agent'],
  cli: ['linux', 'oci', 'spec', 'reconcile', 'agent', 'cli'],
};

type Import = { readonly from: string; readonly to: string };

function localImports({ path, text }: (typeof SOURCES)[number]): Import[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, target = '']) => ({
    from: path,
    to: normalize(join(dirname(path), target)),
  }));
}

test('imports point one way: linux, oci, reconcile, agent, cli; spec beside them', (t) => {
  const upward = SOURCES.flatMap(localImports).filter(({ from, to }) => {
    const layer = from.split('/')[1] ?? '';
    return !(MAY_IMPORT[layer] ?? []).some((allowed) => `${to}/`.startsWith(`src/${allowed}/`));
  });
  t.deepEqual(upward, []);
});

test(`no file is longer than ${LONGEST} lines`, (t) => {
  const long = filesBelow('src', 'test', 'examples')
    .map((path) => ({ path, lines: readFileSync(join(ROOT, path), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST);
  t.deepEqual(long, []);
});

test('every file is named for its concept: no index, no utils', (t) => {
  const vague = /^(index|utils?|helpers?|common|manager|service|base|misc|lib)$|-(utils?|helpers?|manager)$/;
  const names = filesBelow('src', 'test', 'examples').filter((path) => vague.test(basename(path).replace(/\..*$/, '')));
  t.deepEqual(names, []);
  const shape = /^[a-z0-9]+([.-][a-z0-9]+)*\.(ts|js)$/;
  t.deepEqual(
    SOURCES.filter(({ path }) => !shape.test(basename(path))).map(({ path }) => path),
    [],
  );
});

test('every exported function says what goes in and out', (t) => {
  const silent = SOURCES.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      const name = /^export (?:async )?function\*? (\w+)/.exec(line)?.[1];
      return name === undefined || lines[index - 1]?.endsWith('*/') ? [] : [`${path}: ${name}`];
    });
  });
  t.deepEqual(silent, []);
});

// Calls that return a descriptor, in a prototype for libc or as an operation of a tape.
const MAKES_FD =
  /(?:call: '|\bint |func\('|syscallNumber\([^)]*')(openat2?|open|pipe2?|memfd_create|socket|accept4?|dup3|fsopen|fsmount|open_tree|eventfd|epoll_create1|inotify_init1)\b/;
// clone3, pidfd_open and landlock's calls set it by themselves.

test('a file that makes descriptors by system calls makes them close on exec', (t) => {
  const careless = SOURCES.filter(({ text }) => MAKES_FD.test(text) && !text.includes('CLOEXEC'));
  t.deepEqual(
    careless.map(({ path }) => path),
    [],
  );
});

test('no process of the agent changes its own namespaces or forks: that is what tapes are for', (t) => {
  const forbidden = /libc\.func\(\s*'(?:int )?(unshare|setns|chroot|pivot_root|fork|vfork|clone)\b/;
  t.deepEqual(
    SOURCES.filter(({ text }) => forbidden.test(text)).map(({ path }) => path),
    [],
  );
});
