import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

import test from 'ava';

import { elfNeeds, runtimeFiles } from '../../../examples/quickstart/image/elf.ts';
import { imageLayout, layoutArchive } from '../../../examples/quickstart/image/oci-image.ts';
import { tarArchive } from '../../../examples/quickstart/image/tar.ts';

type Named = { readonly name: string; readonly type: string; readonly mode: string; readonly content: string };

/** A reader as simple as the writer: enough to see what was written. */
function readTar(archive: Buffer): Named[] {
  const found: Named[] = [];
  for (let at = 0; archive[at] !== 0;) {
    const field = (offset: number, size: number): string =>
      archive.toString('utf8', at + offset, at + offset + size).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const prefix = field(345, 155);
    found.push({
      name: prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`,
      type: field(156, 1),
      mode: field(100, 8),
      content: field(156, 1) === '2' ? field(157, 100) : archive.toString('utf8', at + 512, at + 512 + size),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

test('parents come before what lies in them, once', (t) => {
  const archive = tarArchive([
    { path: '/a/b/one', content: '1', mode: 0o755 },
    { path: '/a/b/two', linkTo: 'one' },
  ]);
  t.deepEqual(readTar(archive), [
    { name: 'a/', type: '5', mode: '0000755', content: '' },
    { name: 'a/b/', type: '5', mode: '0000755', content: '' },
    { name: 'a/b/one', type: '0', mode: '0000755', content: '1' },
    { name: 'a/b/two', type: '2', mode: '0000777', content: 'one' },
  ]);
});

test('a name of more than 100 bytes is cut at a slash, and one that cannot be cut is refused', (t) => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
  t.is(readTar(tarArchive([{ path: long, content: '' }])).at(-1)?.name, long);
  t.throws(() => tarArchive([{ path: 'f'.repeat(101), content: '' }]), { instanceOf: RangeError });
});

test('every blob of an image has the name of its digest, and the manifest leads to all of them', (t) => {
  const layout = imageLayout({ reference: 'localhost/x:1', layers: [[{ path: 'hello', content: 'world' }]] });
  const blobs = [...layout].filter(([path]) => path.startsWith('blobs/sha256/'));
  for (const [path, content] of blobs) t.is(basename(path), createHash('sha256').update(content).digest('hex'));
  const read = (digest: string): Buffer => layout.get(`blobs/sha256/${digest.slice(7)}`) ?? Buffer.alloc(0);
  const index = JSON.parse(String(layout.get('index.json')));
  const manifest = JSON.parse(String(read(index.manifests[0].digest)));
  const config = JSON.parse(String(read(manifest.config.digest)));
  const tar = zstdDecompressSync(read(manifest.layers[0].digest));
  t.is(config.rootfs.diff_ids[0], `sha256:${createHash('sha256').update(tar).digest('hex')}`);
  t.is(readTar(tar)[0]?.content, 'world');
  t.is(readTar(layoutArchive(layout)).filter(({ type }) => type === '0').length, layout.size);
});

test('the needs of this Node are its loader and its libraries, with those that libraries need', (t) => {
  const names = runtimeFiles(process.execPath).map((path) => basename(path));
  t.true(names.includes('libc.so.6'));
  t.true(names.some((name) => name.startsWith('ld-linux')));
  t.is(new Set(names).size, names.length);
});

test('a file that is not ELF is refused', (t) => {
  t.throws(() => elfNeeds(Buffer.alloc(64)), { instanceOf: TypeError });
});
