import test from 'ava';

import { loadManifests } from '../../src/spec/load.ts';

type Fields = Readonly<Record<string, unknown>>;

function load(...specs: readonly Fields[]): readonly string[] {
  const documents = specs.map((spec, index) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${index}` },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
  }));
  const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  const loaded = loadManifests([{ path: 's.yaml', text }]);
  return 'errors' in loaded ? loaded.errors.map(({ path, message }) => `${path}: ${message}`) : [];
}

test('a port leads to the same port with TCP unless it says otherwise', (t) => {
  const text = '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {selector: {a: b}, ports: [{port: 80}]}}';
  const loaded = loadManifests([{ path: 's.yaml', text }]);
  t.like('desired' in loaded ? loaded.desired.services[0] : undefined, {
    namespace: 'default',
    name: 'a',
    selector: { a: 'b' },
    ports: [{ port: 80, targetPort: 80, nodePort: undefined, protocol: 'TCP' }],
  });
});

const MISTAKES: readonly (readonly [title: string, spec: Fields, expected: RegExp])[] = [
  ['a type that needs a cloud', { type: 'LoadBalancer' }, /spec\.type: Expected 'ClusterIP' or 'NodePort'/],
  ['no label', { selector: {} }, /spec\.selector: Give at least one label/],
  ['no port', { ports: [] }, /spec\.ports: /],
  ['NodePort without a port', { type: 'NodePort' }, /spec\.ports\[0\]: Give a nodePort from 30000/],
  ['a nodePort without the type', { ports: [{ port: 80, nodePort: 30000 }] }, /nodePort: A nodePort needs/],
  ['a nodePort out of range', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }, /from 30000 to 32767, got 80/],
  ['two ports without names', { ports: [{ port: 80 }, { port: 81 }] }, /A port of a Service with several ports/],
  [
    'a port twice',
    {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 80 },
      ],
    },
    /'80\/TCP' is already taken/,
  ],
  ['an address of its own choice', { clusterIP: '10.96.0.9' }, /clusterIP: Not supported yet/],
  ['session affinity', { sessionAffinity: 'ClientIP' }, /'ClientIP' is not supported yet/],
];

for (const [title, spec, expected] of MISTAKES) {
  test(`${title} is refused`, (t) => {
    const errors = load(spec);
    t.true(
      errors.some((error) => expected.test(error)),
      errors.join('\n'),
    );
  });
}

test('a nodePort that another Service has is refused with its name, and the same port of another protocol is not', (t) => {
  const tcp = { type: 'NodePort', ports: [{ port: 80, nodePort: 30000 }] };
  const udp = { type: 'NodePort', ports: [{ port: 80, nodePort: 30000, protocol: 'UDP' }] };
  t.deepEqual(load(tcp, udp), []);
  t.deepEqual(load(tcp, tcp), [
    "spec.ports[0].nodePort: The nodePort 30000/TCP is already taken by Service 'default/s0'",
  ]);
});
