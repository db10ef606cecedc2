import {
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { configDirectory, writeConfigVolume } from '../../../../src/agent/machine/volume/config-volume.ts';
import type { ConfigFile } from '../../../../src/spec/config-files.ts';

function newVolume(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-config-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

function files(entries: Readonly<Record<string, string>>, mode = 0o644): ConfigFile[] {
  return Object.entries(entries).map(([path, text]) => ({ path, bytes: Buffer.from(text), mode }));
}

test('files are links through ..data, with the modes they are given', (t) => {
  const volume = newVolume(t);
  writeConfigVolume(volume, files({ key: 'value', 'deep/er/key': 'below' }, 0o400));
  t.is(readlinkSync(join(volume, 'key')), '..data/key');
  t.is(readlinkSync(join(volume, 'deep')), '..data/deep');
  t.is(readFileSync(join(volume, 'deep/er/key'), 'utf8'), 'below');
  t.is(statSync(join(volume, 'key')).mode & 0o777, 0o400);
  t.is(readFileSync(join(configDirectory(volume), 'key'), 'utf8'), 'value');
});

test('a change swaps all files at once, and takes away what is no longer there', (t) => {
  const volume = newVolume(t);
  writeConfigVolume(volume, files({ a: '1', b: '1', gone: '1' }));
  const before = configDirectory(volume);
  const held = openSync(join(volume, 'a'), 'r');
  writeConfigVolume(volume, files({ a: '2', b: '2', fresh: '2' }));
  t.is(readFileSync(held, 'utf8'), '1', 'an open file stays what it was');
  t.not(configDirectory(volume), before);
  t.deepEqual(
    readdirSync(volume)
      .filter((name) => !name.startsWith('..'))
      .sort(),
    ['a', 'b', 'fresh'],
  );
  t.is(readdirSync(volume).filter((name) => name.startsWith('..')).length, 2, 'the old files are gone');
  t.is(readFileSync(join(volume, 'a'), 'utf8') + readFileSync(join(volume, 'fresh'), 'utf8'), '22');
});

test('what is the same already is left alone; another mode is a change', (t) => {
  const volume = newVolume(t);
  writeConfigVolume(volume, files({ a: '1' }));
  const before = configDirectory(volume);
  writeConfigVolume(volume, files({ a: '1' }));
  t.is(configDirectory(volume), before);
  writeConfigVolume(volume, files({ a: '1' }, 0o600));
  t.not(configDirectory(volume), before);
  t.is(statSync(join(volume, 'a')).mode & 0o777, 0o600);
});

test('a directory becomes a file, and a crash in the middle is cleared away', (t) => {
  const volume = newVolume(t);
  writeConfigVolume(volume, files({ 'a/b': '1' }));
  symlinkSync('nowhere', join(volume, '..data_tmp'));
  writeConfigVolume(volume, files({ a: '2' }));
  t.is(readFileSync(join(volume, 'a'), 'utf8'), '2');
  t.deepEqual(readdirSync(volume).length, 3);
  writeFileSync(join(configDirectory(volume), 'a'), 'changed by hand');
  writeConfigVolume(volume, files({ a: '2' }));
  t.is(readFileSync(join(volume, 'a'), 'utf8'), '2');
  t.true(lstatSync(join(volume, 'a')).isSymbolicLink());
});

test('an optional source that is missing makes an empty volume', (t) => {
  const volume = newVolume(t);
  writeConfigVolume(volume, []);
  t.deepEqual(
    readdirSync(volume).filter((name) => !name.startsWith('..')),
    [],
  );
});
