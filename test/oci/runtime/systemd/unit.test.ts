import test from 'ava';
import * as fc from 'fast-check';

import type { CgroupResources } from '../../../../src/linux/cgroup/resources.ts';
import { annotatedProperties } from '../../../../src/oci/runtime/systemd/annotated-properties.ts';
import { cpuListBits } from '../../../../src/oci/runtime/systemd/cpu-list-bits.ts';
import { deviceProperties } from '../../../../src/oci/runtime/systemd/device-properties.ts';
import { limitProperties, type SystemdFacts } from '../../../../src/oci/runtime/systemd/limit-properties.ts';
import type { UnitProperty } from '../../../../src/oci/runtime/systemd/property.ts';
import { unitProperties } from '../../../../src/oci/runtime/systemd/unit-properties.ts';
import { unitOf } from '../../../../src/oci/runtime/systemd/unit.ts';

const INFINITY = 2n ** 64n - 1n;

function values(properties: readonly UnitProperty[]): Record<string, unknown> {
  return Object.fromEntries(properties.map(([name, { value }]) => [name, value]));
}

test('a path is slice:prefix:name, and a slice is below the slices that its name says', (t) => {
  t.deepEqual(unitOf('machine.slice:libpod:abc', 'x'), {
    name: 'libpod-abc.scope',
    slice: 'machine.slice',
    cgroupPath: '/machine.slice/libpod-abc.scope',
  });
  t.is(unitOf(':runc:abc', 'x').cgroupPath, '/system.slice/runc-abc.scope');
  t.is(unitOf(undefined, 'x').cgroupPath, '/system.slice/berth-x.scope');
  t.is(unitOf('', 'x').name, 'berth-x.scope');
  t.is(unitOf('-.slice:runc:abc', 'x').cgroupPath, '/runc-abc.scope');
  t.is(unitOf('a-b-c.slice:runc:d', 'x').cgroupPath, '/a.slice/a-b.slice/a-b-c.slice/runc-d.scope');
  t.is(unitOf('kubepods.slice::kubepods-pod1.slice', 'x').cgroupPath, '/kubepods.slice/kubepods-pod1.slice');
});

test('other paths are refused, and none leads elsewhere', (t) => {
  for (const path of [
    '/a/b',
    'a:b',
    'a.slice:b:c:d',
    'a:b:c',
    'a--b.slice:r:c',
    '../x.slice:r:c',
    '.slice:r:c',
    's.slice:r:',
    ':r:a/b',
  ])
    t.throws(() => unitOf(path, 'x'), { code: 'CONFIG_INVALID' }, path);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '-', '.', '/', ':', '.slice', '..') }), (path) => {
      try {
        const segments = unitOf(path, 'x').cgroupPath.split('/').slice(1);
        t.true(
          segments.every((segment) => /\.(?:slice|scope)$/.test(segment)),
          path,
        );
      } catch (error) {
        t.is((error as { code?: unknown }).code, 'CONFIG_INVALID');
      }
    }),
  );
});

test('a scope has a process and is delegated, a slice wants the one above', (t) => {
  const scope = values(unitProperties(unitOf('a.slice:r:n', 'id'), 'id', 7, 2));
  t.like(scope, {
    Description: 'libcontainer container id',
    Slice: 'a.slice',
    Delegate: true,
    PIDs: [7],
    IOAccounting: true,
  });
  const slice = values(unitProperties(unitOf('a.slice:r:a-b.slice', 'id'), 'id', 0, 1));
  t.like(slice, { Wants: ['a.slice'], BlockIOAccounting: true });
  t.false('PIDs' in slice || 'Slice' in slice || 'Delegate' in slice);
});

const V1: SystemdFacts = { version: 252, cgroupVersion: 1 };
const V2: SystemdFacts = { version: 252, cgroupVersion: 2 };
const MIB = 2 ** 20;

test('limits have other names on v1 and v2', (t) => {
  const limits: CgroupResources = {
    memory: { limit: 64 * MIB, reservation: 32 * MIB, swap: 96 * MIB },
    cpu: { shares: 1024 },
    pids: { limit: -1 },
    blockIO: { weight: 100 },
  };
  t.deepEqual(values(limitProperties(limits, V1)), {
    MemoryLimit: 67_108_864n,
    CPUShares: 1024n,
    TasksMax: INFINITY,
    BlockIOWeight: 100n,
  });
  t.deepEqual(values(limitProperties(limits, V2)), {
    MemoryMax: 67_108_864n,
    MemoryLow: 33_554_432n,
    MemorySwapMax: 33_554_432n,
    CPUWeight: 100n,
    TasksMax: INFINITY,
  });
  t.deepEqual(values(limitProperties({ memory: { limit: -1 } }, V2)), { MemoryMax: INFINITY, MemorySwapMax: INFINITY });
  t.deepEqual(limitProperties({}, V2), []);
  t.throws(() => limitProperties({ memory: { limit: 2, swap: 1 } }, V2), { instanceOf: RangeError });
});

function quota(cpu: object, version = 252): object {
  return values(limitProperties({ cpu }, { version, cgroupVersion: 2 }));
}

test('a quota is told in percent of a processor, never less than it is; old versions know no period', (t) => {
  t.deepEqual(quota({ quota: 25_500, period: 50_000 }), { CPUQuotaPeriodUSec: 50_000n, CPUQuotaPerSecUSec: 510_000n });
  t.deepEqual(quota({ quota: 12_345 }), { CPUQuotaPerSecUSec: 130_000n });
  t.deepEqual(quota({ quota: -1, period: 50_000 }, 241), { CPUQuotaPerSecUSec: INFINITY });
  t.deepEqual(quota({ cpus: '0-2,9' }, 243), {});
  t.deepEqual(quota({ cpus: '0-2,9', mems: '0' }), { AllowedCPUs: [7, 2], AllowedMemoryNodes: [1] });
});

test('a list of processors becomes a bit for each', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200), { minLength: 1 }), (numbers) => {
      const bits = cpuListBits(numbers.join(','));
      const found = bits.flatMap((byte, index) =>
        [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => index * 8 + bit),
      );
      t.deepEqual(
        found,
        numbers.toSorted((a, b) => a - b),
      );
      t.not(bits.at(-1), 0);
    }),
  );
  for (const list of ['a', '3-1', '1-', '9999999999'])
    t.throws(() => cpuListBits(list), { instanceOf: RangeError }, list);
});

const PROC_DEVICES = 'Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n259 blkext\n';

function list(rules: NonNullable<CgroupResources['devices']>): unknown {
  return deviceProperties(rules, PROC_DEVICES).map(([name, { value }]) => [name, value]);
}

test('rules for devices become a list of what is allowed; what the list cannot say is allowed too', (t) => {
  const none = { allow: false, access: 'rwm' } as const;
  const all = { allow: true, access: 'rwm' } as const;
  t.deepEqual(list([all, { ...none, type: 'c', major: 1, minor: 3 }]), [
    ['DevicePolicy', 'auto'],
    ['DeviceAllow', []],
  ]);
  t.deepEqual(list([none]), [
    ['DevicePolicy', 'strict'],
    ['DeviceAllow', []],
  ]);
  t.deepEqual(
    list([
      all,
      none,
      { allow: true, type: 'c', major: 1, minor: 3, access: 'r' },
      { allow: true, type: 'c', major: 136 },
      { allow: true, type: 'c', major: 77 },
      { allow: true, type: 'b', major: 259, access: 'rw' },
      { allow: true, access: 'm' },
      { allow: false, type: 'c', major: 1, minor: 3, access: 'r' },
    ]),
    [
      ['DevicePolicy', 'strict'],
      ['DeviceAllow', []],
      [
        'DeviceAllow',
        [
          ['/dev/char/1:3', 'r'],
          ['char-pts', 'rwm'],
          ['block-blkext', 'rw'],
          ['block-*', 'm'],
          ['char-*', 'm'],
        ],
      ],
    ],
  );
});

function read(name: string, text: string): unknown {
  return annotatedProperties({ [`org.systemd.property.${name}`]: text })[0];
}

test('annotations name further properties', (t) => {
  t.deepEqual(read('TimeoutStopUSec', 'uint64 123'), ['TimeoutStopUSec', { signature: 't', value: 123n }]);
  t.deepEqual(read('TimeoutStopSec', '5'), ['TimeoutStopUSec', { signature: 't', value: 5_000_000n }]);
  t.deepEqual(read('CollectMode', "'inactive-or-failed'"), [
    'CollectMode',
    { signature: 's', value: 'inactive-or-failed' },
  ]);
  t.deepEqual(read('After', '[\'a.service\', "b"]'), ['After', { signature: 'as', value: ['a.service', 'b'] }]);
  t.deepEqual(read('SendSIGHUP', 'true'), ['SendSIGHUP', { signature: 'b', value: true }]);
  t.deepEqual(annotatedProperties({ other: 'x' }), []);
  t.throws(() => read('CollectMode', 'words of no type'), { code: 'CONFIG_INVALID' });
  t.throws(() => read('a/b', 'true'), { code: 'CONFIG_INVALID' });
});
