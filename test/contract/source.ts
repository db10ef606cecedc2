// What every source promises, whatever it reads from. Run by the tests of each.
import { readFile } from 'node:fs/promises';

import test, { type ExecutionContext } from 'ava';

import type { Source, SourceUpdate } from '../../src/reconcile/source.ts';

/** Content by path; undefined removes; a link is written as a symbolic link. */
export type Content = Readonly<Record<string, string | Uint8Array | { readonly link: string } | undefined>>;

export type SourceWorld = {
  readonly source: Source;
  /** Change these files, and make the result what the source holds now. */
  readonly write: (content: Content) => Promise<void>;
  /** Take the whole thing away, and put it back. */
  readonly vanish: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
  /** Put something else in its place that is no source at all. `comeBack` undoes it. */
  readonly garble: () => Promise<void>;
};

export type SourceContract = {
  readonly name: string;
  /** A world with nothing in it. It cleans up by `t.teardown`. */
  readonly newWorld: (t: ExecutionContext) => Promise<SourceWorld>;
  /** Why these tests cannot run here; all of them run otherwise. */
  readonly skip?: string | undefined;
};

type Revision = Extract<SourceUpdate, { kind: 'revision' }>;

/** Reads the updates of a source one by one. */
export class Reader {
  readonly controller = new AbortController();
  readonly #updates: AsyncIterator<SourceUpdate>;

  constructor(t: ExecutionContext, source: Source) {
    this.#updates = source.revisions(this.controller.signal)[Symbol.asyncIterator]();
    t.teardown(async () => {
      this.controller.abort();
      await this.#updates.return?.();
    });
  }

  next(): Promise<IteratorResult<SourceUpdate>> {
    return this.#updates.next();
  }

  /** The next update of this kind for which `condition` holds; others are passed over. */
  async until<K extends SourceUpdate['kind']>(
    kind: K,
    condition: (update: Extract<SourceUpdate, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<SourceUpdate, { kind: K }>> {
    for (;;) {
      const { value, done } = await this.next();
      if (done === true) throw new Error('The source has ended');
      if (isKind(value, kind) && condition(value)) return value;
    }
  }
}

function isKind<K extends SourceUpdate['kind']>(
  update: SourceUpdate,
  kind: K,
): update is Extract<SourceUpdate, { kind: K }> {
  return update.kind === kind;
}

function texts({ files }: Revision): Record<string, string> {
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
}

export function runSourceContract({ name, newWorld, skip }: SourceContract): void {
  const promise = (title: string, body: (t: ExecutionContext, world: SourceWorld, reader: Reader) => Promise<void>) => {
    if (skip !== undefined) return test.skip(`${name}: ${title} (${skip})`, () => {});
    test(`${name}: ${title}`, async (t) => {
      const world = await newWorld(t);
      await body(t, world, new Reader(t, world.source));
    });
  };

  promise(
    'the first update is what is there, sorted, without what is hidden or no manifest',
    async (t, world, reader) => {
      await world.write({
        'z.yaml': 'z: 1\n',
        'apps/web.yml': 'a: 1\n',
        'apps/ünï code.json': '{}',
        'README.md': '# no',
        '.hidden.yaml': 'no: 1\n',
        'apps/.git2/x.yaml': 'no: 1\n',
        'images/note.yaml': 'no: 1\n',
      });
      const update = await reader.until('revision');
      t.deepEqual(
        update.files.map(({ path }) => path),
        ['apps/web.yml', 'apps/ünï code.json', 'z.yaml'],
      );
      t.deepEqual(texts(update), { 'apps/web.yml': 'a: 1\n', 'apps/ünï code.json': '{}', 'z.yaml': 'z: 1\n' });
      t.true(update.revision.length > 10);
    },
  );

  promise('a change, a new file and a removal are new revisions', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    const first = await reader.until('revision', ({ files }) => files.length === 1);
    await world.write({ 'a.yaml': 'a: 2\n' });
    const second = await reader.until('revision');
    t.deepEqual(texts(second), { 'a.yaml': 'a: 2\n' });
    t.not(second.revision, first.revision);
    await world.write({ 'deep/er/b.yaml': 'b: 1\n' });
    t.deepEqual(texts(await reader.until('revision')), { 'a.yaml': 'a: 2\n', 'deep/er/b.yaml': 'b: 1\n' });
    await world.write({ 'a.yaml': undefined });
    t.deepEqual(texts(await reader.until('revision')), { 'deep/er/b.yaml': 'b: 1\n' });
  });

  promise('an empty source is a revision with nothing in it', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n', 'README.md': 'x' });
    await reader.until('revision', ({ files }) => files.length === 1);
    await world.write({ 'a.yaml': undefined });
    t.deepEqual(texts(await reader.until('revision')), {});
  });

  promise('a slow reader gets the newest content, not every one before it', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 0\n' });
    await reader.until('revision', ({ files }) => files.length === 1);
    for (let count = 1; count <= 5; count++) await world.write({ 'a.yaml': `a: ${count}\n` });
    const update = await reader.until('revision', (candidate) => texts(candidate)['a.yaml'] === 'a: 5\n');
    t.is(update.files.length, 1);
  });

  promise('a file that is not UTF-8 fails the source by name, until it is repaired', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    await reader.until('revision');
    await world.write({ 'sub/bad.yaml': new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]) });
    const failed = await reader.until('failed');
    t.is(failed.code, 'SOURCE_INVALID');
    t.regex(failed.message, /sub\/bad\.yaml is not UTF-8/);
    await world.write({ 'sub/bad.yaml': 'a: ä\n' });
    t.deepEqual(texts(await reader.until('revision')), { 'a.yaml': 'a: 1\n', 'sub/bad.yaml': 'a: ä\n' });
  });

  promise('a file that is far too large fails the source', async (t, world, reader) => {
    await world.write({ 'a.yaml': Buffer.alloc(4 * 1024 * 1024 + 1, '#') });
    const failed = await reader.until('failed');
    t.is(failed.code, 'SOURCE_INVALID');
    t.regex(failed.message, /a\.yaml has 4194305 bytes/);
  });

  promise('a link that leads out fails the source', async (t, world, reader) => {
    await world.write({ 'a.yaml': { link: '/etc/hostname' } });
    const failed = await reader.until('failed');
    t.is(failed.code, 'SOURCE_INVALID');
    t.regex(failed.message, /^a\.yaml is a .*link/);
  });

  promise('a source that vanishes is told once, and goes on when it is back', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    const first = await reader.until('revision');
    await world.vanish();
    const failed = await reader.until('failed');
    t.true(['SOURCE_MISSING', 'SOURCE_UNREACHABLE'].includes(failed.code));
    t.true(failed.message.length > 10);
    const next = reader.next();
    await world.comeBack();
    const { value } = await next;
    t.not(value.kind, 'failed', 'the same failure is not told twice');
    if (value.kind === 'revision') t.is(value.revision, first.revision);
    await world.write({ 'a.yaml': 'a: 2\n' });
    t.deepEqual(texts(await reader.until('revision')), { 'a.yaml': 'a: 2\n' });
  });

  promise('a source that is not there yet is waited for', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    await world.vanish();
    t.true((await reader.until('failed')).message.length > 10);
    await world.comeBack();
    t.deepEqual(texts(await reader.until('revision')), { 'a.yaml': 'a: 1\n' });
  });

  promise('garbage in its place is a failure', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    await reader.until('revision');
    await world.garble();
    t.true((await reader.until('failed')).message.length > 10);
    await world.comeBack();
    await world.write({ 'a.yaml': 'a: 2\n' });
    t.deepEqual(texts(await reader.until('revision')), { 'a.yaml': 'a: 2\n' });
  });

  promise('image archives and layouts are files on this machine, with a version', async (t, world, reader) => {
    const layout = {
      'images/l/oci-layout': '{}',
      'images/l/index.json': '{"a":1}',
      'images/l/blobs/sha256/aa': 'blob',
    };
    await world.write({ 'a.yaml': 'a: 1\n', 'images/web.oci.tar': 'one', 'images/other.txt': 'no', ...layout });
    const first = await reader.until('revision', ({ images }) => images.length === 2);
    const [tar, directory] = first.images;
    t.is(await readFile(tar?.path ?? '', 'utf8'), 'one');
    t.is(await readFile(`${directory?.path}/index.json`, 'utf8'), '{"a":1}');
    t.is(await readFile(`${directory?.path}/blobs/sha256/aa`, 'utf8'), 'blob');
    await world.write({ 'images/web.oci.tar': 'two', 'images/l/index.json': '{"a":2}' });
    const second = await reader.until('revision');
    t.is(await readFile(second.images[0]?.path ?? '', 'utf8'), 'two');
    t.not(second.images[0]?.version, tar?.version);
    t.not(second.images[1]?.version, directory?.version);
  });

  promise('it ends when the signal aborts', async (t, world, reader) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    await reader.until('revision');
    const next = reader.next();
    reader.controller.abort();
    t.deepEqual(await next, { value: undefined, done: true });
  });

  promise('read gives the present content once', async (t, world) => {
    await world.write({ 'a.yaml': 'a: 1\n' });
    const update = await world.source.read(AbortSignal.timeout(30_000));
    t.is(update.kind, 'revision');
    await world.vanish();
    t.is((await world.source.read(AbortSignal.timeout(30_000))).kind, 'failed');
  });
}
