import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import * as at from '../../src/linux/at.ts';
import { AT_FDCWD } from '../../src/linux/mount-flags.ts';
import { openat2, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS } from '../../src/linux/openat2.ts';
import { removeTreeAt } from '../../src/linux/remove-tree.ts';
import { processUmask } from '../../src/linux/umask.ts';

function scratch(t: ExecutionContext): { readonly path: string; readonly fd: number } {
  const path = mkdtempSync(join(tmpdir(), 'berth-at-'));
  const fd = openSync(path, 'r');
  t.teardown(() => {
    closeSync(fd);
    rmSync(path, { recursive: true, force: true });
  });
  return { path, fd };
}

test('names are bytes: what is not UTF-8 is kept as it is', (t) => {
  const { path, fd } = scratch(t);
  const name = 'n\xe4me';
  using file = at.openat(fd, at.cString(name), at.O_WRONLY | at.O_CREAT | at.O_EXCL, 0o600);
  t.true(file.number > 2);
  t.deepEqual(readdirSync(path, 'latin1'), [name]);
});

test('a file opened here closes on exec', (t) => {
  const { fd } = scratch(t);
  using file = at.openat(fd, 'x', at.O_WRONLY | at.O_CREAT, 0o600);
  const flags = /^flags:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file.number}`, 'latin1'))?.[1] ?? '0';
  t.is(Number.parseInt(flags, 8) & at.O_CLOEXEC, at.O_CLOEXEC);
});

test('times are set to the nanosecond, before 1970 and after 2106, on a link itself', (t) => {
  const { path, fd } = scratch(t);
  writeFileSync(join(path, 'file'), '');
  symlinkSync('file', join(path, 'link'));
  for (const [seconds, nanoseconds] of [
    [-5, 250_000_001],
    [5_000_000_000, 999_999_999],
    [0, 1],
  ] as const) {
    at.utimensat(fd, 'link', { seconds, nanoseconds });
    const expected = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
    t.is(lstatSync(join(path, 'link'), { bigint: true }).mtimeNs, expected);
    t.not(lstatSync(join(path, 'file'), { bigint: true }).mtimeNs, expected);
    using file = at.openat(fd, 'file', at.O_RDONLY);
    at.futimens(file.number, { seconds, nanoseconds });
    t.is(lstatSync(join(path, 'file'), { bigint: true }).mtimeNs, expected);
  }
});

test('a failed call names itself, the path and the errno', (t) => {
  const { fd } = scratch(t);
  t.throws(() => at.openat(fd, 'missing', at.O_RDONLY), { message: `openat(${fd}, missing): ENOENT` });
  t.throws(() => at.mkdirat(fd, at.cString('a/b'), 0o700), { message: `mkdirat(${fd}, "a/b"): ENOENT` });
  t.throws(() => at.unlinkat(AT_FDCWD, '/nonexistent'), { message: 'unlinkat(/nonexistent): ENOENT' });
});

test('openat2 keeps links within the root, or refuses them', (t) => {
  const { path, fd } = scratch(t);
  mkdirSync(join(path, 'etc'));
  symlinkSync('/etc', join(path, 'link'));
  symlinkSync('../../../..', join(path, 'up'));
  const flags = at.O_RDONLY | at.O_DIRECTORY;
  using inside = openat2(fd, 'link', { flags, resolve: RESOLVE_IN_ROOT });
  t.is(lstatSync(`/proc/self/fd/${inside.number}/.`).ino, lstatSync(join(path, 'etc')).ino);
  using root = openat2(fd, 'up', { flags, resolve: RESOLVE_IN_ROOT });
  t.is(lstatSync(`/proc/self/fd/${root.number}/.`).ino, lstatSync(path).ino);
  t.throws(() => openat2(fd, 'link', { flags, resolve: RESOLVE_NO_SYMLINKS }), { message: /ELOOP/ });
  t.throws(() => openat2(fd, 'up', { flags, resolve: RESOLVE_BENEATH }), { message: /RESOLVE_BENEATH\): EXDEV/ });
});

test('a tree is removed, and what its links lead to is not', (t) => {
  const { path, fd } = scratch(t);
  mkdirSync(join(path, 'keep'));
  writeFileSync(join(path, 'keep', 'file'), '');
  mkdirSync(join(path, 'tree/a/b'), { recursive: true });
  writeFileSync(join(path, 'tree/a/n\u00e4me'), '');
  symlinkSync('../keep', join(path, 'tree/directory'));
  symlinkSync('../../keep/file', join(path, 'tree/a/file'));
  removeTreeAt(fd, 'tree');
  t.deepEqual(readdirSync(path), ['keep']);
  t.deepEqual(readdirSync(join(path, 'keep')), ['file']);
  removeTreeAt(fd, 'tree');
  removeTreeAt(fd, 'keep/file');
  t.deepEqual(readdirSync(join(path, 'keep')), []);
});

test('a tree deeper than any path is removed', (t) => {
  const { path, fd } = scratch(t);
  // The name of each level is 200 bytes: PATH_MAX is exceeded after 20 of 300.
  const name = 'd'.repeat(200);
  let level = at.openat(fd, '.', at.O_RDONLY | at.O_DIRECTORY);
  for (let depth = 0; depth < 300; depth++) {
    at.mkdirat(level.number, name, 0o700);
    const next = at.openat(level.number, name, at.O_RDONLY | at.O_DIRECTORY);
    level[Symbol.dispose]();
    level = next;
  }
  level[Symbol.dispose]();
  const before = readdirSync('/proc/self/fd').length;
  removeTreeAt(fd, name);
  t.deepEqual(readdirSync(path), []);
  t.is(readdirSync('/proc/self/fd').length, before);
});

test('the umask is the one that this process has', (t) => {
  const before = process.umask(0o027);
  t.teardown(() => process.umask(before));
  t.is(processUmask(), 0o027);
});
