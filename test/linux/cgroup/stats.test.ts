import test from 'ava';

import { openCgroup } from '../../../src/linux/cgroup/cgroup.ts';
import { parseFlatKeyed, parseLimit } from '../../../src/linux/cgroup/control-file.ts';
import { parsePressure } from '../../../src/linux/cgroup/pressure.ts';
import { FakeTree } from './fake-tree.ts';

const PRESSURE = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=120\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=45\n';

test('numbers of v2', (t) => {
  using tree = new FakeTree().with({
    'berth/a/cpu.stat':
      'usage_usec 12\nuser_usec 7\nsystem_usec 5\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2\nnr_bursts 0\n',
    'berth/a/cpu.pressure': PRESSURE,
    'berth/a/memory.pressure': PRESSURE,
    'berth/a/io.pressure': PRESSURE,
    'berth/a/memory.current': '1000\n',
    'berth/a/memory.peak': '1500\n',
    'berth/a/memory.max': '2000\n',
    'berth/a/memory.swap.current': '17\n',
    'berth/a/memory.stat': 'anon 300\nfile 600\nfile_mapped 50\ninactive_file 400\npgfault 9\npgmajfault 1\n',
    'berth/a/memory.events': 'low 0\nhigh 0\nmax 6\noom 2\noom_kill 1\noom_group_kill 0\n',
    'berth/a/pids.current': '3\n',
    'berth/a/pids.max': 'max\n',
    'berth/a/io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n253:0 \n',
  });
  const cgroup = openCgroup(tree.layout(2, ['cpu', 'memory', 'pids', 'io']), '/berth/a');
  t.deepEqual(cgroup.stats(), {
    cpu: { usageNs: 12_000, userNs: 7000, systemNs: 5000, periods: 4, throttledPeriods: 3, throttledNs: 2000 },
    memory: {
      usageBytes: 1000,
      workingSetBytes: 600,
      rssBytes: 300,
      cacheBytes: 600,
      mappedFileBytes: 50,
      swapBytes: 17,
      peakBytes: 1500,
      limitBytes: 2000,
      failures: 6,
      oomKills: 1,
      pageFaults: 9,
      majorPageFaults: 1,
    },
    pids: { current: 3, limit: undefined },
    io: [{ major: 8, minor: 0, readBytes: 4096, writeBytes: 8192, readOperations: 1, writeOperations: 2 }],
    pressure: {
      cpu: { waitingUs: 120, stalledUs: 45 },
      memory: { waitingUs: 120, stalledUs: 45 },
      io: { waitingUs: 120, stalledUs: 45 },
    },
  });
  t.is(cgroup.oomKills(), 1);
});

test('numbers of v1, in the same units', (t) => {
  using tree = new FakeTree().with({
    'berth/a/cpuacct.usage': '123456789\n',
    'berth/a/cpuacct.stat': 'user 7\nsystem 5\n',
    'berth/a/cpu.stat': 'nr_periods 4\nnr_throttled 3\nthrottled_time 2000\n',
    'berth/a/memory.usage_in_bytes': '1000\n',
    'berth/a/memory.max_usage_in_bytes': '1500\n',
    'berth/a/memory.limit_in_bytes': '9223372036854771712\n',
    'berth/a/memory.failcnt': '4\n',
    'berth/a/memory.memsw.failcnt': '2\n',
    'berth/a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'berth/a/memory.stat':
      'rss 1\ntotal_rss 300\ntotal_cache 600\ntotal_mapped_file 50\ntotal_inactive_file 1400\ntotal_swap 17\n' +
      'total_pgfault 9\ntotal_pgmajfault 1\n',
    'berth/a/pids.current': '3\n',
    'berth/a/pids.max': '64\n',
    'berth/a/blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n',
    'berth/a/blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 2\n8:0 Sync 3\nTotal 3\n',
  });
  const layout = tree.layout(1, ['cpu', 'cpuacct', 'memory', 'pids', 'blkio']);
  const cgroup = openCgroup(layout, '/berth/a');
  t.deepEqual(cgroup.stats(), {
    cpu: {
      usageNs: 123_456_789,
      userNs: 70_000_000,
      systemNs: 50_000_000,
      periods: 4,
      throttledPeriods: 3,
      throttledNs: 2000,
    },
    memory: {
      usageBytes: 1000,
      workingSetBytes: 0,
      rssBytes: 300,
      cacheBytes: 600,
      mappedFileBytes: 50,
      swapBytes: 17,
      peakBytes: 1500,
      limitBytes: undefined,
      failures: 6,
      oomKills: 1,
      pageFaults: 9,
      majorPageFaults: 1,
    },
    pids: { current: 3, limit: 64 },
    io: [{ major: 8, minor: 0, readBytes: 4096, writeBytes: 8192, readOperations: 1, writeOperations: 2 }],
    pressure: undefined,
  });
  t.is(cgroup.oomKills(), 1);
});

test('a cgroup that is gone has no numbers and no processes', (t) => {
  using tree = new FakeTree();
  const cgroup = openCgroup(tree.layout(2, ['cpu', 'memory', 'pids', 'io']), '/berth/gone');
  t.deepEqual(cgroup.stats(), {
    cpu: undefined,
    memory: undefined,
    pids: undefined,
    io: undefined,
    pressure: undefined,
  });
  t.is(cgroup.oomKills(), 0);
  t.deepEqual(cgroup.procs(), []);
  t.false(cgroup.frozen());
  t.notThrows(() => cgroup.kill());
});

test('old kernels: no peak, no full line for cpu pressure', (t) => {
  using tree = new FakeTree().with({ 'a/memory.current': '10\n', 'a/memory.stat': 'anon 4\n' });
  const { memory } = openCgroup(tree.layout(2, ['memory']), '/a').stats();
  t.like(memory, { usageBytes: 10, workingSetBytes: 10, peakBytes: undefined, limitBytes: undefined, swapBytes: 0 });
  t.deepEqual(parsePressure('some avg10=0.00 total=7\n'), { waitingUs: 7, stalledUs: 0 });
});

test('control files are lines of a name and a number, and limits may be none', (t) => {
  t.deepEqual(
    [...parseFlatKeyed('a 1\nb_c 20\n\n')],
    [
      ['a', 1],
      ['b_c', 20],
    ],
  );
  t.is(parseLimit('4096\n'), 4096);
  t.is(parseLimit('max\n'), undefined);
  t.is(parseLimit('9223372036854771712\n'), undefined);
});
