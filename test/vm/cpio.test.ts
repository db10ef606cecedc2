import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { cpioHeader, writeCpio } from './cpio.ts';
import { FileTree } from './file-tree.ts';

test('a header has the magic, thirteen fields and the name, up to a multiple of four bytes', (t) => {
  const header = cpioHeader('init', { inode: 1, mode: 0o100755, size: 5 });
  const fields = ['00000001', '000081ed', '00000000', '00000000', '00000001', '00000000', '00000005'];
  t.is(header.toString(), `070701${fields.join('')}${'00000000'.repeat(4)}0000000500000000init\0\0`);
});

const BUSYBOX = '/bin/busybox';
(existsSync(BUSYBOX) ? test : test.skip)('another program unpacks the archive to what went in', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-test-cpio.'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const tree = new FileTree();
  tree.text('/etc/deep/name', 'text\n', 0o640);
  tree.link('/bin', 'usr/bin');
  tree.file('/usr/bin/copy', new URL(import.meta.url).pathname);
  writeCpio(join(directory, 'archive'), tree.entries);
  const input = readFileSync(join(directory, 'archive'));
  execFileSync(BUSYBOX, ['cpio', '-id'], { cwd: directory, input, stdio: ['pipe', 'ignore', 'ignore'] });
  t.is(readFileSync(join(directory, 'etc/deep/name'), 'utf8'), 'text\n');
  t.is(lstatSync(join(directory, 'etc/deep/name')).mode & 0o7777, 0o640);
  t.is(readlinkSync(join(directory, 'bin')), 'usr/bin');
  t.deepEqual(readFileSync(join(directory, 'usr/bin/copy')), readFileSync(new URL(import.meta.url)));
});
