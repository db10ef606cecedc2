import { mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { mkfifo } from '../../src/linux/fifo.ts';
import { DirectorySource } from '../../src/reconcile/directory-source.ts';
import { Reader, runSourceContract, type Content, type SourceWorld } from '../contract/source.ts';

async function place(t: ExecutionContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'berth-directory-'));
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  const root = join(parent, 'source');
  await mkdir(root);
  return root;
}

async function newWorld(t: ExecutionContext): Promise<SourceWorld> {
  const root = await place(t);
  const away = `${root}.away`;
  return {
    source: new DirectorySource(root),
    write: (content) => write(root, content),
    vanish: () => rename(root, away),
    comeBack: async () => {
      await rm(root, { force: true });
      await rename(away, root);
    },
    garble: async () => {
      await rename(root, away);
      await writeFile(root, 'no directory');
    },
  };
}

async function write(root: string, content: Content): Promise<void> {
  for (const [path, value] of Object.entries(content)) {
    const full = join(root, path);
    await mkdir(dirname(full), { recursive: true });
    if (value === undefined) await rm(full);
    else if (typeof value === 'object' && 'link' in value) await symlink(value.link, full);
    else await writeFile(full, value);
  }
}

runSourceContract({ name: 'directory', newWorld });

test('a file that is renamed into place is read', async (t) => {
  const root = await place(t);
  await write(root, { 'a.yaml': 'a: 1\n' });
  const reader = new Reader(t, new DirectorySource(root));
  await reader.until('revision');
  await writeFile(join(root, '.a.yaml.swp'), 'a: 2\n');
  await rename(join(root, '.a.yaml.swp'), join(root, 'a.yaml'));
  t.is((await reader.until('revision')).files[0]?.text, 'a: 2\n');
});

test('a file is not read before its writer has closed it', async (t) => {
  const root = await place(t);
  await write(root, { 'a.yaml': 'a: 1\n' });
  const reader = new Reader(t, new DirectorySource(root));
  await reader.until('revision');
  const next = reader.until('revision');
  const writer = await open(join(root, 'a.yaml'), 'w');
  for (const part of ['a: 2\n', '---\n', 'b: ', '3\n']) {
    await writer.write(part);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await writer.close();
  t.is((await next).files[0]?.text, 'a: 2\n---\nb: 3\n');
});

test('the links of a ConfigMap mount are followed, and swapped as one', async (t) => {
  const root = await place(t);
  await write(root, {
    '..v1/a.yaml': 'a: 1\n',
    '..v1/b.yaml': 'b: 1\n',
    '..v2/a.yaml': 'a: 2\n',
    '..v2/b.yaml': 'b: 2\n',
  });
  await symlink('..v1', join(root, '..data'));
  for (const name of ['a.yaml', 'b.yaml']) await symlink(`..data/${name}`, join(root, name));
  const reader = new Reader(t, new DirectorySource(root));
  const first = await reader.until('revision');
  t.deepEqual(
    first.files.map(({ text }) => text),
    ['a: 1\n', 'b: 1\n'],
  );
  await symlink('..v2', join(root, '..data_tmp'));
  await rename(join(root, '..data_tmp'), join(root, '..data'));
  const second = await reader.until('revision');
  t.deepEqual(
    second.files.map(({ text }) => text),
    ['a: 2\n', 'b: 2\n'],
  );
});

test('a root that is a link is read again when the link changes', async (t) => {
  const root = await place(t);
  const link = `${root}.link`;
  await write(root, { 'v1/a.yaml': 'a: 1\n', 'v2/a.yaml': 'a: 2\n' });
  await symlink(join(root, 'v1'), link);
  const reader = new Reader(t, new DirectorySource(link));
  t.is((await reader.until('revision')).files[0]?.text, 'a: 1\n');
  await symlink(join(root, 'v2'), `${link}.new`);
  await rename(`${link}.new`, link);
  t.is((await reader.until('revision')).files[0]?.text, 'a: 2\n');
  await writeFile(join(root, 'v2/a.yaml'), 'a: 3\n');
  t.is((await reader.until('revision')).files[0]?.text, 'a: 3\n');
});

test('a circle of links ends', async (t) => {
  const root = await place(t);
  await write(root, { 'sub/a.yaml': 'a: 1\n' });
  await symlink('..', join(root, 'sub/up'));
  await symlink('self', join(root, 'self'));
  const update = await new Reader(t, new DirectorySource(root)).until('revision');
  t.deepEqual(
    update.files.map(({ path }) => path),
    ['sub/a.yaml'],
  );
});

test('a FIFO is refused and not waited for', async (t) => {
  const root = await place(t);
  mkfifo(join(root, 'a.yaml'), 0o600);
  const update = await new DirectorySource(root).read(new AbortController().signal);
  t.is(update.kind, 'revision', 'it is no regular file, so it is no manifest');
});
