// The same limits by berth-oci, runc and crun: what is in the files of the container's cgroup, on v1 and on v2.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import type { Resources } from '../../src/oci/runtime/config.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { bundleConfig, writeBundle } from './oci-bundle.ts';
import { resources } from './oci-case.ts';
import { OciPeers, PEERS, type Outcome, type Peer } from './oci-peers.ts';

const unusable = containersUnusable('runc', 'crun', 'nsenter', 'unshare');
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const peers = unusable === undefined ? new OciPeers() : undefined;
if (peers !== undefined) test.after.always('nothing is left', () => peers.close());

/** By their names on v1 and v2; each machine has its own. */
const FILES = `
  cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.cfs_burst_us cpu/cpu.idle
  cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max
  memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.memsw.limit_in_bytes
  memory/memory.swappiness memory/memory.oom_control memory/memory.use_hierarchy
  cpu.weight cpu.max cpu.max.burst cpu.idle cpuset.cpus cpuset.mems pids.max
  memory.max memory.low memory.high memory.swap.max memory.oom.group
  io.max io.weight io.bfq.weight hugetlb.2MB.max hugetlb.2MB.rsvd.max rdma.max
`;
const SHOW = `cd /sys/fs/cgroup; for f in ${FILES.trim().replaceAll(/\s+/g, ' ')}; do [ -e $f ] && echo $f: $(cat $f); done; true`;

type LimitCase = {
  readonly limits: Resources;
  /** Files in which the peers are not like berth, each with its reason. */
  readonly differs?: Readonly<Record<string, string>>;
  /** Why crun cannot. */
  readonly notInCrun?: string;
};

const WEIGHT = 'before 1.3.2 and 1.23 they gave default shares 39 of 100, see cpuWeight';
const NUMBERS = 'crun 1.8 writes what is below 0 as a large positive number on v1';
const MIB = 1024 * 1024;
const CASES: Readonly<Record<string, LimitCase>> = {
  'no limits': { limits: {} },
  memory: { limits: { memory: { limit: 64 * MIB } } },
  'memory and swap': { limits: { memory: { limit: 64 * MIB, swap: 96 * MIB, reservation: 32 * MIB } } },
  'no swap': { limits: { memory: { limit: 64 * MIB, swap: 64 * MIB } } },
  'unlimited swap': { limits: { memory: { limit: 64 * MIB, swap: -1 } } },
  'unlimited memory': { limits: { memory: { limit: -1 } } },
  'a soft limit alone': { limits: { memory: { reservation: 32 * MIB } } },
  'a quota': { limits: { cpu: { quota: 20_000, period: 50_000 } } },
  'a quota alone': { limits: { cpu: { quota: 20_000 } } },
  'a period alone': { limits: { cpu: { period: 50_000 } } },
  'no quota': { limits: { cpu: { quota: -1, period: 50_000 } }, notInCrun: NUMBERS },
  shares: { limits: { cpu: { shares: 512 } }, differs: { 'cpu.weight': WEIGHT } },
  'the least and the most shares': { limits: { cpu: { shares: 262_144 } } },
  processors: { limits: { cpu: { cpus: '0', mems: '0' } } },
  pids: { limits: { pids: { limit: 42 } } },
  'pids without limit': { limits: { pids: { limit: -1 } }, notInCrun: NUMBERS },
  'no pids': { limits: { pids: { limit: 0 } } },
};

async function runIn(peer: Peer, name: string, limits: Resources): Promise<Outcome> {
  if (peers === undefined) throw new Error(`These tests are skipped: ${unusable}`);
  const id = `${peer}-${Object.keys(CASES).indexOf(name)}`;
  const directory = join(peers.bundles, id);
  mkdirSync(directory);
  writeBundle(directory, resources(limits)(bundleConfig(SHOW, `${peers.cgroupParent}/${id}`), directory));
  return await peers.call(peer, ['run', '--bundle', directory, id]);
}

function without(output: string, files: readonly string[]): string[] {
  return output.split('\n').filter((line) => !files.some((file) => line.startsWith(`${file}:`)));
}

for (const [name, { limits, differs = {}, notInCrun }] of Object.entries(CASES)) {
  usable(`${name}: the files are as with runc and crun${suffix}`, async (t) => {
    const [berth, runc, crun] = await Promise.all(PEERS.map((peer) => runIn(peer, name, limits)));
    t.is(berth?.code, 0, berth?.output);
    t.regex(berth?.output ?? '', /pids\.max: /);
    const compared = notInCrun === undefined || crun?.code === 0 ? { runc, crun } : { runc };
    for (const [peer, outcome] of Object.entries(compared)) {
      const files = Object.keys(differs);
      t.deepEqual(without(berth?.output ?? '', files), without(outcome?.output ?? '', files), peer);
    }
  });
}
