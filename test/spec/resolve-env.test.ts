import test from 'ava';

import type { ConfigData, ConfigReference, EnvEntry } from '../../src/spec/model.ts';
import { resolveArguments, resolveEnvironment, type PodFacts } from '../../src/spec/resolve-env.ts';

const POSITION = { file: 'x.yaml', line: 1, column: 1 };

const FACTS: PodFacts = {
  name: 'web-1',
  namespace: 'shop',
  uid: 'c0ffee',
  labels: { app: 'web' },
  annotations: { 'example.org/owner': 'us' },
  nodeName: 'edge-7',
  podIP: '10.0.0.2',
  hostIP: '192.0.2.1',
};

const CONFIG: ConfigData = {
  namespace: 'shop',
  name: 'settings',
  entries: new Map<string, Uint8Array>([
    ['level', Buffer.from('info')],
    ['ref', Buffer.from('$(A)')],
    ['blob', Uint8Array.of(0xff)],
    ['nul', Uint8Array.of(0x61, 0)],
    ['bom', Buffer.from('\ufeffx')],
  ]),
  immutable: false,
  position: POSITION,
};

function source(name: string, optional = false): ConfigReference {
  return { kind: 'ConfigMap', name, optional, position: POSITION };
}

function config({ name }: ConfigReference): ConfigData | undefined {
  return name === 'settings' ? CONFIG : undefined;
}

function resolve(...env: readonly EnvEntry[]): Readonly<Record<string, string>> {
  return Object.fromEntries(resolveEnvironment({ env }, { facts: FACTS, config }));
}

function value(name: string, text: string): EnvEntry {
  return { from: 'value', name, value: text };
}

test('a later entry wins, and a value sees the variables before it and no others', (t) => {
  const variables = resolve(
    value('A', '1'),
    value('B', '$(A)$(C)'),
    value('C', 'c'),
    value('A', '$(A)2'),
    value('A', '$(A)3'),
  );
  t.deepEqual(variables, { A: '123', B: '1$(C)', C: 'c' });
});

test('the fields of the pod come from its facts', (t) => {
  const paths = {
    NAME: 'metadata.name',
    NAMESPACE: 'metadata.namespace',
    UID: 'metadata.uid',
    APP: "metadata.labels['app']",
    OWNER: "metadata.annotations['example.org/owner']",
    NOTHING: "metadata.labels['none']",
    NODE: 'spec.nodeName',
    POD_IP: 'status.podIP',
    HOST_IP: 'status.hostIP',
  };
  const entries = Object.entries(paths).map(([name, fieldPath]): EnvEntry => ({ from: 'field', name, fieldPath }));
  t.deepEqual(resolve(...entries), {
    NAME: 'web-1',
    NAMESPACE: 'shop',
    UID: 'c0ffee',
    APP: 'web',
    OWNER: 'us',
    NOTHING: '',
    NODE: 'edge-7',
    POD_IP: '10.0.0.2',
    HOST_IP: '192.0.2.1',
  });
});

function entry(key: string): EnvEntry {
  return { from: 'key', name: key, source: source('settings'), key };
}

test('a key is taken as it is, without expansion', (t) => {
  t.deepEqual(resolve(value('A', 'a'), entry('level'), entry('ref'), entry('bom')), {
    A: 'a',
    level: 'info',
    ref: '$(A)',
    bom: '\ufeffx',
  });
});

test('all keys of a ConfigMap become variables, but for those that no variable can hold', (t) => {
  t.deepEqual(resolve({ from: 'all', prefix: 'X_', source: source('settings') }), {
    X_level: 'info',
    X_ref: '$(A)',
    X_bom: '\ufeffx',
  });
});

test('a missing optional ConfigMap or key makes no variable', (t) => {
  t.deepEqual(
    resolve(
      { from: 'all', prefix: '', source: source('gone', true) },
      { from: 'key', name: 'A', source: source('gone', true), key: 'a' },
      { from: 'key', name: 'B', source: source('settings', true), key: 'gone' },
    ),
    {},
  );
});

test('what is missing and not optional is an error that names it', (t) => {
  t.throws(() => resolve({ from: 'all', prefix: '', source: source('gone') }), { message: /ConfigMap 'gone'/ });
  t.throws(() => resolve({ from: 'key', name: 'A', source: source('settings'), key: 'k' }), {
    message: "Cannot resolve the key 'k' of ConfigMap 'settings': it is missing",
  });
  t.throws(() => resolve({ from: 'key', name: 'A', source: source('settings', true), key: 'blob' }), {
    message: /not text without NUL/,
  });
});

test('arguments are expanded with the final environment', (t) => {
  const environment = new Map([['PORT', '8080']]);
  t.deepEqual(resolveArguments(['serve', '--port=$(PORT)', '$$(PORT)', '$(NONE)'], environment), [
    'serve',
    '--port=8080',
    '$(PORT)',
    '$(NONE)',
  ]);
});
