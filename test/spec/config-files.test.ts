import test from 'ava';

import { configFiles } from '../../src/spec/config-files.ts';
import type { ConfigData, ConfigItem, Volume } from '../../src/spec/model.ts';

const POSITION = { file: 'x.yaml', line: 1, column: 1 };
const A = Buffer.from('a');
const B = Uint8Array.of(0, 255);

const DATA: ConfigData = {
  namespace: 'default',
  name: 'settings',
  entries: new Map<string, Uint8Array>([
    ['b', B],
    ['a', A],
  ]),
  immutable: false,
  position: POSITION,
};

function volume(items: readonly ConfigItem[] | undefined, optional = false): Extract<Volume, { kind: 'config' }> {
  const source = { kind: 'ConfigMap', name: 'settings', optional, position: POSITION } as const;
  return { kind: 'config', name: 'files', source, defaultMode: 0o640, items };
}

test('without items every key is a file of its own name', (t) => {
  t.deepEqual(configFiles(volume(undefined), DATA), [
    { path: 'a', bytes: A, mode: 0o640 },
    { path: 'b', bytes: B, mode: 0o640 },
  ]);
});

test('items choose keys, paths and modes', (t) => {
  const items = [
    { key: 'b', path: 'etc//app/./b.bin', mode: 0 },
    { key: 'a', path: 'a.conf', mode: undefined },
    { key: 'a', path: 'again', mode: undefined },
  ];
  t.deepEqual(configFiles(volume(items), DATA), [
    { path: 'a.conf', bytes: A, mode: 0o640 },
    { path: 'again', bytes: A, mode: 0o640 },
    { path: 'etc/app/b.bin', bytes: B, mode: 0 },
  ]);
});

test('what is optional may be missing', (t) => {
  t.deepEqual(configFiles(volume(undefined, true), undefined), []);
  t.deepEqual(configFiles(volume([{ key: 'gone', path: 'x', mode: undefined }], true), DATA), []);
});

test('what is not optional must be there', (t) => {
  t.throws(() => configFiles(volume(undefined), undefined), { message: /there is no ConfigMap 'settings'/ });
  t.throws(() => configFiles(volume([{ key: 'gone', path: 'x', mode: undefined }]), DATA), {
    message: "Cannot make volume 'files': ConfigMap 'settings' has no key 'gone'",
  });
});
