import test from 'ava';

import type { AgentStatus } from '../../src/agent/control-protocol.ts';
import { workloadTable } from '../../src/cli/commands/get.ts';
import { listPods } from '../../src/cli/pod-list.ts';
import { joined } from '../../src/cli/workload-list.ts';
import { sampleView } from './sample-containers.ts';

const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Running',
  message: '1 of 1 pods run',
  lastTransitionTime: '2026-01-01T00:00:00Z',
} as const;
const known: AgentStatus['workloads'] = [
  {
    workload: { kind: 'Deployment', namespace: 'default', name: 'web' },
    source: '/srv',
    revision: 'sha256:0123456789abcdef',
    conditions: [ready],
  },
  { workload: { kind: 'Pod', namespace: 'default', name: 'new' }, source: '/srv', revision: 'r', conditions: [] },
];

test('what the agent tells and what runs is one list, by name', (t) => {
  const orphan = sampleView({ owner: 'Pod', workload: 'old', pod: 'old', podUid: 'uid-old', name: 'old/main' });
  const list = joined(known, [sampleView(), orphan]);
  t.deepEqual(
    list.map(({ kind, name, source, containers }) => [kind, name, source, containers.length]),
    [
      ['Pod', 'new', '/srv', 0],
      ['Pod', 'old', undefined, 1],
      ['Deployment', 'web', '/srv', 1],
    ],
  );
});

test('a pod and a deployment of one name keep their own containers', (t) => {
  const pod = sampleView({ owner: 'Pod', pod: 'web', podUid: 'uid-web' });
  const list = joined([], [sampleView(), pod]);
  t.deepEqual(
    list.map(({ kind, containers }) => [kind, containers.map(({ podUid }) => podUid)]),
    [
      ['Deployment', ['uid-web-0']],
      ['Pod', ['uid-web']],
    ],
  );
});

test('the table shows readiness, and ? where nothing is known', (t) => {
  t.is(
    workloadTable(joined(known, [sampleView()])),
    [
      'KIND         NAMESPACE   NAME   READY   REASON    RUNNING   REVISION       MESSAGE',
      'Pod          default     new    ?       ?         0/0       r',
      'Deployment   default     web    True    Running   1/1       0123456789ab   1 of 1 pods run',
      '',
    ].join('\n'),
  );
});

test('pods are counted by their containers', (t) => {
  const sidecar = sampleView({ container: 'sidecar', status: 'exited', restarts: 2, ip: '10.0.0.2' });
  const [pod, ...others] = listPods(joined(known, [sampleView({ restarts: 1, ip: '10.0.0.2' }), sidecar]));
  t.deepEqual(others, []);
  t.like(pod, { name: 'web-0', workload: 'Deployment/web', running: 1, containers: 2, restarts: 3, ip: '10.0.0.2' });
});
