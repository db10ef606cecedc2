import test from 'ava';

import { statsDocument } from '../../../src/cli/oci/stats-document.ts';
import type { RawStats } from '../../../src/linux/cgroup/raw-stats.ts';

function raw(files: Readonly<Record<string, string>>): RawStats {
  return { memoryVersion: 1, memory: new Map(), perCpu: [], pageSizes: ['2MB', '1GB'], file: (_, name) => files[name] };
}

const STATS = { cpu: undefined, memory: undefined, pids: undefined, io: undefined, pressure: undefined };

test('a cpuset is told as the files of v1 have it, and as zeros on v2', (t) => {
  const files = {
    'cpuset.cpus': '0-2,5',
    'cpuset.mems': '0',
    'cpuset.sched_load_balance': '1',
    'cpuset.sched_relax_domain_level': '-1',
  };
  t.like(statsDocument(STATS, raw(files)), {
    cpuset: { cpus: [0, 1, 2, 5], mems: [0], cpu_exclusive: 0, sched_load_balance: 1, sched_relax_domain_level: -1 },
  });
  const { cpuset } = statsDocument(STATS, raw({})) as { cpuset: object };
  t.false('cpus' in cpuset || 'mems' in cpuset);
  t.deepEqual(new Set(Object.values(cpuset)), new Set([0]));
});

test('huge pages are told by their size, where the cgroup accounts them', (t) => {
  const v1 = {
    'hugetlb.2MB.usage_in_bytes': '4194304',
    'hugetlb.2MB.max_usage_in_bytes': '6291456',
    'hugetlb.2MB.failcnt': '3',
  };
  t.like(statsDocument(STATS, raw(v1)), { hugetlb: { '2MB': { usage: 4_194_304, max: 6_291_456, failcnt: 3 } } });
  const v2 = { 'hugetlb.1GB.current': '0', 'hugetlb.1GB.events': 'max 2\n' };
  t.like(statsDocument(STATS, raw(v2)), { hugetlb: { '1GB': { failcnt: 2 } } });
  t.deepEqual((statsDocument(STATS, raw({})) as { hugetlb: object }).hugetlb, {});
});
