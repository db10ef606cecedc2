import test from 'ava';

import type { PlanDocument } from '../../src/agent/control-protocol.ts';
import { formatPlan } from '../../src/cli/format-plan.ts';

const workload = { kind: 'Deployment', namespace: 'default', name: 'web' } as const;

test('a settled machine has nothing to do', (t) => {
  t.is(formatPlan({ workloads: [{ workload, steps: [], waits: [] }] }), 'Nothing to do: 1 workload as declared\n');
  t.is(formatPlan({ workloads: [] }), 'Nothing to do: 0 workloads as declared\n');
});

test('every step stands below its workload, with its why', (t) => {
  const plan: PlanDocument = {
    workloads: [
      {
        workload,
        steps: [
          { step: 'pullImage', pod: 'web-0', image: 'nginx:1.27', why: 'not on this machine' },
          { step: 'createSandbox', pod: 'web-0', why: 'there is none' },
          { step: 'startContainer', pod: 'web-0', container: 'nginx', image: 'nginx:1.27', why: 'not running' },
        ],
        waits: [{ subject: 'web-1', reason: 'RolloutPaused', why: 'web-0 comes first' }],
      },
      { workload: { ...workload, name: 'bad' }, steps: [], waits: [], problem: 'no such\nimage' },
    ],
  };
  t.is(
    formatPlan(plan),
    [
      'Deployment default/web',
      '  pull     nginx:1.27   not on this machine',
      '  prepare  pod web-0    there is none',
      '  start    web-0/nginx  not running',
      '  wait     web-1        RolloutPaused: web-0 comes first',
      '',
      'Deployment default/bad',
      '  problem  bad  no such image',
      '',
      '3 steps for 2 workloads',
      '',
    ].join('\n'),
  );
});
