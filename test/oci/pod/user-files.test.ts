import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { readUserFiles } from '../../../src/oci/pod/user-files.ts';

const SECRET = 'secret:x:0:0::/:/bin/sh\n';

/** Layers of one test, uppermost first: made by `work` in directories of their own. */
function layers(t: ExecutionContext, ...work: ((directory: string) => void)[]): string[] {
  const top = mkdtempSync(join(tmpdir(), 'berth-users-'));
  t.teardown(() => rmSync(top, { recursive: true }));
  writeFileSync(join(top, 'secret'), SECRET);
  return work.map((make, index) => {
    const directory = join(top, String(index));
    mkdirSync(directory);
    make(directory);
    return directory;
  });
}

function etc(directory: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, 'etc'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, 'etc', name), content);
}

test('the uppermost layer that has a file has the file', (t) => {
  const found = layers(
    t,
    (top) => etc(top, { passwd: 'top' }),
    (bottom) => etc(bottom, { passwd: 'bottom', group: 'bottom' }),
  );
  t.deepEqual(readUserFiles(found), { passwd: 'top', group: 'bottom' });
});

test('links of an image lead nowhere: neither the file nor its directory (SEC-7)', (t) => {
  const file = layers(t, (layer) => {
    mkdirSync(join(layer, 'etc'));
    symlinkSync('../../secret', join(layer, 'etc/passwd'));
  });
  t.is(readUserFiles(file).passwd, '');
  const directory = layers(t, (layer) => {
    etc(join(layer), {});
    rmSync(join(layer, 'etc'), { recursive: true });
    mkdirSync(join(layer, 'real'));
    writeFileSync(join(layer, 'real/passwd'), SECRET);
    symlinkSync('real', join(layer, 'etc'));
  });
  t.is(readUserFiles(directory).passwd, '');
});

test('what is no ordinary file is not waited for (SEC-7)', (t) => {
  const found = layers(t, (layer) => {
    mkdirSync(join(layer, 'etc/group'), { recursive: true });
    execFileSync('mkfifo', [join(layer, 'etc/passwd')]);
  });
  t.deepEqual(readUserFiles(found), { passwd: '', group: '' });
});

test('of a file that has no end, a mebibyte is read (SEC-7)', (t) => {
  const found = layers(t, (layer) => etc(layer, { passwd: 'x'.repeat(3 * 1024 * 1024) }));
  t.is(readUserFiles(found).passwd.length, 1024 * 1024);
});
