import test from 'ava';

import { NO_LIMITS } from '../../src/agent/container-snapshot.ts';
import { usageBetween } from '../../src/cli/usage-rates.ts';
import { NOW, sampleContainer, sampleSnapshot, STATS } from '../agent/sample-snapshot.ts';

const SECOND = 1000;

test('processor time is shared out over the time between two snapshots', (t) => {
  const later = { ...STATS, cpu: STATS.cpu && { ...STATS.cpu, usageNs: STATS.cpu.usageNs + 500_000_000 } };
  const before = sampleSnapshot({ containers: [sampleContainer('1111')] });
  const after = sampleSnapshot({ now: NOW + SECOND, containers: [sampleContainer('1111', { stats: later })] });
  const [usage] = usageBetween(before, after);
  t.like(usage, { id: '1111', name: 'web-0/nginx', cpuShare: 0.5, memoryBytes: 20_000_000, threads: 5 });
  t.like(usage, { readBytes: 4096, writtenBytes: 8192 });
});

test('a container that began meanwhile has no share yet', (t) => {
  const after = sampleSnapshot({ now: NOW + SECOND, containers: [sampleContainer('1111')] });
  const [usage] = usageBetween(sampleSnapshot(), after);
  t.is(usage?.cpuShare, undefined);
});

test('what does not run is left out', (t) => {
  const after = sampleSnapshot({ containers: [sampleContainer('1111', { state: 'exited' })] });
  t.deepEqual(usageBetween(sampleSnapshot(), after), []);
});

test('the network is told of where it is counted, the limit where there is one', (t) => {
  const [one, other] = [
    sampleContainer('1111', { limits: { ...NO_LIMITS, memoryBytes: 64 } }),
    sampleContainer('2222'),
  ];
  const { interfaces } = sampleSnapshot().machine;
  const after = sampleSnapshot({ containers: [one, other], networks: [{ labels: one.labels, interfaces }] });
  const [first, second] = usageBetween(sampleSnapshot(), after);
  t.like(first, { receivedBytes: 1000, sentBytes: 2000, memoryLimitBytes: 64 });
  t.false(second !== undefined && ('receivedBytes' in second || 'memoryLimitBytes' in second));
});
