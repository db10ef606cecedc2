import assert from 'node:assert';

import test from 'ava';
import * as fc from 'fast-check';

import { canonical } from '../../src/reconcile/canonical.ts';
import { desiredPods, templateKey } from '../../src/reconcile/desired-pods.ts';
import type { DesiredPod } from '../../src/reconcile/effects.ts';
import { changedInContainer, changedInPod } from '../../src/reconcile/hash.ts';
import type { ConfigData, ContainerSpec, Desired, PodSpec } from '../../src/spec/model.ts';
import { digestOf, podsOf, position, sampleContainer, samplePod, sampleWorkload } from './sample-workload.ts';

const settings = { kind: 'ConfigMap', name: 'settings', optional: false, position } as const;

function config(name: string, entries: Readonly<Record<string, string>>, namespace = 'default'): ConfigData {
  const bytes = Object.entries(entries).map(([key, text]): [string, Uint8Array] => [key, Buffer.from(text)]);
  return { namespace, name, entries: new Map(bytes), immutable: false, position };
}

function podOf(pod: PodSpec, configMaps: readonly ConfigData[] = [], secrets: readonly ConfigData[] = []): DesiredPod {
  const workload = sampleWorkload({ pod });
  const [only] = podsOf(workload, { workloads: [workload], configMaps, secrets, claims: [], services: [] });
  if (only === undefined) throw new Error('no pod');
  return only;
}

const base = samplePod({
  volumes: [
    { kind: 'emptyDir', name: 'scratch', medium: '', sizeLimitBytes: undefined },
    { kind: 'hostPath', name: 'host', path: '/srv', type: '' },
  ],
  containers: [
    sampleContainer({ volumeMounts: [{ volume: 'host', mountPath: '/srv', subPath: undefined, readOnly: false }] }),
    sampleContainer({ name: 'other', image: 'example.test/other:1' }),
  ],
});

function withMain(change: Partial<ContainerSpec>): PodSpec {
  return { ...base, containers: base.containers.map((one) => (one.name === 'main' ? { ...one, ...change } : one)) };
}

const changes = test.macro({
  exec(t, after: PodSpec, expected: { pod?: string; main?: string; other?: string }) {
    const [one, two] = [podOf(base), podOf(after)];
    const changed = (name: string): string => {
      const hash = (pod: DesiredPod) => pod.containers.find((container) => container.name === name)?.hash ?? '';
      return changedInContainer(hash(one), hash(two));
    };
    t.is(changedInPod(one.hash, two.hash), expected.pod ?? 'nothing');
    t.is(changed('main'), expected.main ?? 'nothing');
    t.is(changed('other'), expected.other ?? 'nothing');
    t.is(one.uid === two.uid, expected.pod === undefined);
  },
  title: (given) => `${given} changes what it must and nothing else`,
});

const port = { name: undefined, containerPort: 80, hostPort: undefined, hostIP: undefined, protocol: 'TCP' } as const;
test('the environment', changes, withMain({ env: [{ from: 'value', name: 'A', value: '1' }] }), { main: 'template' });
test('the command', changes, withMain({ command: ['/bin/true'] }), { main: 'template' });
test('a limit', changes, withMain({ resources: { ...sampleContainer().resources, pidsLimit: 5 } }), {
  main: 'template',
});
test('another image', changes, withMain({ image: 'example.test/web:2' }), { main: 'image' });
test('the pull policy', changes, withMain({ imagePullPolicy: 'Always' }), {});
test('a port that is not published', changes, withMain({ ports: [port] }), {});
test('a published port', changes, withMain({ ports: [{ ...port, hostPort: 80 }] }), { pod: 'published ports' });
test('the host network', changes, { ...base, hostNetwork: true }, { pod: 'host name, network or namespaces' });
test('an emptyDir volume', changes, { ...base, volumes: base.volumes.slice(1) }, { pod: 'emptyDir volumes' });
test('the grace period', changes, { ...base, terminationGracePeriodSeconds: 5 }, {});
test('the restart policy', changes, { ...base, restartPolicy: 'Never' }, {});
test('a label that nobody reads', changes, { ...base, labels: { a: 'b' } }, {});
test(
  'the path of a mounted hostPath volume',
  changes,
  { ...base, volumes: base.volumes.map((one) => (one.kind === 'hostPath' ? { ...one, path: '/opt' } : one)) },
  { main: 'template' },
);
test(
  'the annotation of kubectl rollout restart',
  changes,
  { ...base, annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-01' } },
  { main: 'template', other: 'template' },
);

test('a label that the environment reads is part of the container', (t) => {
  const env = [{ from: 'field', name: 'APP', fieldPath: "metadata.labels['app']" }] as const;
  const hash = (app: string) => podOf({ ...withMain({ env }), labels: { app } }).containers.map((one) => one.hash);
  t.not(hash('a')[0], hash('b')[0]);
  t.is(hash('a')[1], hash('b')[1]);
});

test('a key in the environment is the only content that counts', (t) => {
  const pod = withMain({ env: [{ from: 'key', name: 'A', source: settings, key: 'a' }] });
  const hash = (entries: Record<string, string>) => podOf(pod, [config('settings', entries)]).containers[0]?.hash;
  t.is(hash({ a: '1' }), hash({ a: '1', b: '2' }));
  t.not(hash({ a: '1' }), hash({ a: '2' }));
  t.not(hash({ a: '1' }), hash({ b: '1' }));
});

test('a volume mounted by subPath counts with the keys that it shows: no change reaches it', (t) => {
  const mount = { volume: 'cfg', mountPath: '/cfg', subPath: 'a', readOnly: true };
  const volume = { kind: 'config', name: 'cfg', source: settings, defaultMode: 0o644 } as const;
  const items = [{ key: 'a', path: 'a', mode: undefined }];
  const hash = (entries: Record<string, string>, some: boolean) => {
    const pod = withMain({ volumeMounts: [mount] });
    const volumes = [{ ...volume, items: some ? items : undefined }];
    return podOf({ ...pod, volumes }, [config('settings', entries)]).containers[0]?.hash;
  };
  t.is(hash({ a: '1' }, true), hash({ a: '1', b: '2' }, true));
  t.not(hash({ a: '1' }, false), hash({ a: '1', b: '2' }, false));
});

test('the content of a volume restarts nothing: it has a hash of its own, of what the volume shows', (t) => {
  const mount = { volume: 'cfg', mountPath: '/cfg', subPath: undefined, readOnly: true };
  const items = [{ key: 'a', path: 'a', mode: undefined }];
  const volumes = [{ kind: 'config', name: 'cfg', source: settings, defaultMode: 0o644, items }] as const;
  const made = (entries: Record<string, string>) =>
    podOf({ ...withMain({ volumeMounts: [mount] }), volumes }, [config('settings', entries)]);
  const [one, same, other] = [made({ a: '1' }), made({ a: '1', b: '2' }), made({ a: '2' })];
  t.deepEqual([one.containers, one.hash], [other.containers, other.hash]);
  t.is(one.volumes, same.volumes);
  t.not(one.volumes, other.volumes);
  t.is(podOf({ ...base, volumes: [] }).volumes, undefined);
});

test('content of another namespace, of another name or kind, or that is not mounted, does not count', (t) => {
  const pod = withMain({ env: [{ from: 'all', prefix: '', source: settings }] });
  const own = config('settings', { a: '1' });
  const hash = podOf(pod, [own]).containers[0]?.hash;
  t.is(podOf(pod, [own, config('other', { a: '2' })]).containers[0]?.hash, hash);
  t.is(podOf(pod, [config('settings', { a: '2' }, 'elsewhere'), own]).containers[0]?.hash, hash);
  t.is(podOf(pod, [own], [config('settings', { a: '2' })]).containers[0]?.hash, hash);
  t.not(podOf(pod, [config('settings', { a: '2' })]).containers[0]?.hash, hash);
});

function key(pod: PodSpec, configMaps: readonly ConfigData[] = [], line = 1): string {
  const workload = sampleWorkload({ pod, position: { ...position, line } });
  return templateKey(workload, { workloads: [workload], configMaps, secrets: [], claims: [], services: [] });
}

test('images are resolved again for another template or content, not for another place in the file', (t) => {
  t.is(key(base), key(base, [config('unused', {})], 7));
  t.not(key(base), key(withMain({ imagePullPolicy: 'Always' })));
  t.not(key(base), key(withMain({ workingDir: '/' })));
});

test('replicas keep their names and differ in their uids', (t) => {
  const workload = sampleWorkload({ kind: 'Deployment', replicas: 3 });
  const pods = podsOf(workload);
  t.deepEqual(
    pods.map((pod) => pod.name),
    ['web-0', 'web-1', 'web-2'],
  );
  t.is(new Set(pods.map((pod) => pod.uid)).size, 3);
  for (const { uid } of pods) t.regex(uid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  t.not(podsOf(sampleWorkload({ name: 'web-0' }))[0]?.uid, pods[0]?.uid, 'a Pod of the same name is another pod');
});

test('a workload whose images are not all resolved has no pods', (t) => {
  const workload = sampleWorkload();
  const desired: Desired = { workloads: [workload], configMaps: [], secrets: [], claims: [], services: [] };
  t.throws(() => desiredPods({ workload, digests: new Map(), desired }), { message: /No digest/ });
  t.is(desiredPods({ workload, digests: new Map([['example.test/web:1', digestOf('x')]]), desired }).length, 1);
});

test('the canonical text depends on no order of keys, and leaves out defaults and positions', (t) => {
  t.is(canonical({ b: 1, a: [2, { d: undefined, c: false }] }), canonical({ a: [2, {}], b: 1, position, e: [] }));
  t.not(canonical({ a: '' }), canonical({}));
  t.not(canonical([1, 2]), canonical([2, 1]));
  t.not(canonical(new Map([['a', Buffer.from('1')]])), canonical(new Map([['a', Buffer.from('2')]])));
  const shuffled = fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
    const reversed = Object.fromEntries(Object.entries(object).toReversed());
    assert.equal(canonical(object), canonical(reversed));
  });
  t.notThrows(() => fc.assert(shuffled));
});
