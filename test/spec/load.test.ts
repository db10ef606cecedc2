import assert from 'node:assert/strict';

import test from 'ava';

import { formatManifestErrors } from '../../src/spec/format-error.ts';
import { loadManifests } from '../../src/spec/load.ts';
import type { ManifestError } from '../../src/spec/manifest-error.ts';
import type { Desired } from '../../src/spec/model.ts';
import { golden, goldenManifests, modelText } from './golden-manifests.ts';

const SMALL_POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: a, image: a }] }\n';

function desired(...texts: readonly string[]): Desired {
  const loaded = loadManifests(texts.map((text, index) => ({ path: `${index}.yaml`, text })));
  assert('desired' in loaded, 'errors' in loaded ? formatManifestErrors(loaded.errors) : '');
  return loaded.desired;
}

function errors(...texts: readonly string[]): readonly ManifestError[] {
  const loaded = loadManifests(texts.map((text, index) => ({ path: `${index}.yaml`, text })));
  assert('errors' in loaded, 'the manifests were accepted');
  return loaded.errors;
}

for (const file of goldenManifests('valid')) {
  test(`the valid manifest ${file.path} becomes its recorded model`, (t) => {
    const loaded = loadManifests([file]);
    if ('errors' in loaded) return t.fail(formatManifestErrors(loaded.errors));
    const actual = modelText(loaded.desired);
    t.is(actual, golden(`valid/${file.path.replace(/\.\w+$/, '')}.model.json`, actual));
  });
}

test('every wrong manifest gets its recorded messages', (t) => {
  const sections = goldenManifests('invalid').map((file) => {
    const loaded = loadManifests([file]);
    return `=== ${file.path}\n${'errors' in loaded ? formatManifestErrors(loaded.errors) : '(accepted)\n'}`;
  });
  const actual = sections.join('\n');
  t.is(actual, golden('invalid/messages.txt', actual));
  t.false(actual.includes('(accepted)'));
  t.false(actual.includes('TOPSECRET'));
});

test('mistakes of all files come at once, sorted by file and place', (t) => {
  const found = errors('kind: Pod\n---\nkind: 1\napiVersion: v1\n', 'a: [\n', SMALL_POD.replace('image', 'imagee'));
  t.deepEqual(
    found.map(({ file, line, column, path }) => `${file}:${line}:${column} ${path}`),
    [
      '0.yaml:1:1 apiVersion',
      '0.yaml:3:7 kind',
      '1.yaml:2:1 ',
      '2.yaml:4:24 spec.containers[0].image',
      '2.yaml:4:33 spec.containers[0].imagee',
    ],
  );
});

test('the same kind, namespace and name in two files is an error that names both places', (t) => {
  const [error, ...others] = errors(SMALL_POD, `# second\n${SMALL_POD}`);
  t.deepEqual(others, []);
  t.is(error?.file, '1.yaml');
  t.is(error?.line, 4);
  t.is(error?.message, "The Pod 'web' in namespace 'default' is already declared at 0.yaml:3:19");
});

function config(kind: string, namespace: string): string {
  return `apiVersion: v1\nkind: ${kind}\nmetadata: { name: x, namespace: ${namespace} }\n`;
}

test('a ConfigMap and a Secret, or two namespaces, may share a name', (t) => {
  const { configMaps, secrets } = desired(config('ConfigMap', 'a'), config('ConfigMap', 'b'), config('Secret', 'a'));
  t.is(configMaps.length, 2);
  t.is(secrets.length, 1);
});

const REFERRING_POD = SMALL_POD.replace('image: a', 'image: a, envFrom: [{ secretRef: { name: s } }]');

test('a reference is satisfied by another file, whatever the order', (t) => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\n';
  t.is(desired(REFERRING_POD, secret).secrets.length, 1);
  t.is(desired(secret, REFERRING_POD).secrets.length, 1);
  t.is(errors(REFERRING_POD).length, 1);
});

test('a reference is not blamed for mistakes in what it refers to', (t) => {
  const wrongSecret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nspec: {}\n';
  t.deepEqual(
    errors(REFERRING_POD, wrongSecret).map(({ file, path }) => `${file} ${path}`),
    ['1.yaml spec'],
  );
  t.deepEqual(
    errors(REFERRING_POD, 'a: [').map(({ file }) => file),
    ['1.yaml'],
  );
});

test('no files and files of nothing but comments declare nothing', (t) => {
  const nothing: Desired = { workloads: [], configMaps: [], secrets: [], claims: [], services: [] };
  t.deepEqual(desired(), nothing);
  t.deepEqual(desired('', '# only a comment\n', '---\n---\n# and\n...\n'), nothing);
});

test('the first 500 errors of a file are kept, and the rest is counted', (t) => {
  const lines = Array.from({ length: 700 }, (_, index) => `unknown${index}: 1\n`).join('');
  const found = errors(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n${lines}`, 'kind: 1\n');
  t.is(found.length, 503);
  t.is(found[500]?.message, 'This and 199 more errors from here on are not shown');
  t.is(found[500]?.line, 504);
});

test('a Deployment takes its pod labels from the template, a Pod from its metadata', (t) => {
  const { workloads } = desired(
    SMALL_POD.replace('name: web', 'name: web, labels: { a: b }, annotations: { c: d }'),
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { own: label } }
spec:
  selector: { matchLabels: { x: 'y' } }
  template: { metadata: { labels: { x: 'y', z: z } }, spec: { containers: [{ name: a, image: a }] } }
`,
  );
  t.deepEqual(
    workloads.map(({ labels, pod }) => [labels, pod.labels, pod.annotations]),
    [
      [{ a: 'b' }, { a: 'b' }, { c: 'd' }],
      [{ own: 'label' }, { x: 'y', z: 'z' }, {}],
    ],
  );
});

const pullPolicy = test.macro({
  title: (_title, image: string, policy: string) => `the image ${image} is pulled ${policy}`,
  exec: (t, image: string, policy: 'Always' | 'IfNotPresent') => {
    const [workload] = desired(SMALL_POD.replace('image: a', `image: '${image}'`)).workloads;
    t.is(workload?.pod.containers[0]?.imagePullPolicy, policy);
  },
});

const DIGEST = `sha256:${'0'.repeat(64)}`;
test(pullPolicy, 'nginx', 'Always');
test(pullPolicy, 'nginx:latest', 'Always');
test(pullPolicy, `nginx:latest@${DIGEST}`, 'Always');
test(pullPolicy, 'localhost:5000/nginx', 'Always');
test(pullPolicy, 'localhost:5000/nginx:1', 'IfNotPresent');
test(pullPolicy, `nginx@${DIGEST}`, 'IfNotPresent');

test('a leading zero makes a mode octal, as in Kubernetes', (t) => {
  const volumes = '[{ name: v, configMap: { name: c, optional: true, defaultMode: 0440 } }]';
  const [workload] = desired(SMALL_POD.replace('spec: {', `spec: { volumes: ${volumes},`)).workloads;
  const [volume] = workload?.pod.volumes ?? [];
  t.is(volume?.kind === 'config' ? volume.defaultMode : undefined, 0o440);
});
