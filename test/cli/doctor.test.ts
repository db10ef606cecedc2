import test from 'ava';

import { formatChecks } from '../../src/cli/commands/doctor.ts';
import { cgroupChecks } from '../../src/cli/doctor/cgroups.ts';
import { fail, ok, warn } from '../../src/cli/doctor/check.ts';
import { version } from '../../src/cli/doctor/kernel.ts';
import { names } from '../../src/cli/doctor/network.ts';
import { layers, overlay } from '../../src/cli/doctor/storage.ts';
import { PROBED_CALLS, probeCall } from '../../src/linux/kernel-features.ts';
import type { Hierarchy } from '../../src/linux/cgroup/layout.ts';

for (const [text, result] of [
  ['5.15.0-1-amd64', 'ok'],
  ['6.1', 'ok'],
  ['10.0.0', 'ok'],
  ['5.14.21', 'fail'],
  ['4.19.0', 'fail'],
  ['nonsense', 'fail'],
] as const) {
  test(`kernel ${text} is ${result}`, (t) => {
    t.is(version(text).result, result);
  });
}

test('this kernel answers every probe, and nothing is changed by asking', (t) => {
  t.true(PROBED_CALLS.length > 10);
  for (const name of PROBED_CALLS) t.true(['present', 'missing', 'refused'].includes(probeCall(name)), name);
  t.is(probeCall('memfd_create'), 'present');
  t.throws(() => probeCall('reboot'), { instanceOf: RangeError });
});

const v2: Hierarchy = { version: 2, mountPoint: '/cg', controllers: ['cpu', 'memory', 'pids', 'io'], self: '/' };
const v1: Hierarchy = { version: 1, mountPoint: '/cg/m', controllers: ['memory'], self: '/' };

function results(hierarchies: readonly Hierarchy[]): string[] {
  return cgroupChecks({ hierarchies }).map(({ result }) => result);
}

test('cgroups: v2 is fine, v1 alone a warning, none a failure', (t) => {
  t.deepEqual(results([v2]), ['ok', 'ok']);
  t.deepEqual(results([v1]), ['warn', 'warn']);
  t.deepEqual(results([]), ['fail', 'warn']);
});

test('a controller that is missing is named with what it costs', (t) => {
  const [, limits] = cgroupChecks({ hierarchies: [{ ...v2, controllers: ['cpu', 'pids', 'io'] }] });
  t.is(limits?.detail, 'no controller memory: no memory limits');
});

test('overlay is looked for as a whole word', (t) => {
  t.is(overlay('nodev\tsysfs\nnodev\toverlay\n').result, 'ok');
  t.is(overlay('nodev\toverlayfoo\n\text4\n').result, 'fail');
});

test('a module is known by its file, by its line in /proc/modules, or by a symbol', (t) => {
  t.true(names('kernel/net/nf_tables.ko.xz: kernel/lib.ko\n', 'nf_tables', 'x'));
  t.true(names('kernel/net/nft-chain-nat.ko\n', 'nft_chain_nat', 'x'));
  t.true(names('veth 20480 0 - Live\n', 'veth', 'x'));
  t.true(names('ffffffff81 t br_add_if\n', 'bridge', 'br_add_if'));
  t.false(names('ffffffff81 t br_add_if_other\nbridge_helper 1\n', 'bridge', 'br_add_if'));
});

test('advice stands below what it is about', (t) => {
  t.is(
    formatChecks([ok('one', 'fine'), warn('two', 'less', 'do this'), fail('three', 'none', 'do that')]),
    [
      'ok    one    fine',
      'warn  two    less',
      '             do this',
      'fail  three  none',
      '             do that',
      '',
    ].join('\n'),
  );
});

test('how layers are kept is told, and why not otherwise', (t) => {
  t.like(layers('auto', { works: true, shared: true }), {
    result: 'ok',
    detail: 'mounted from their tars by EROFS, once',
  });
  t.like(layers('auto', { works: false, why: 'fsopen(erofs): ENODEV' }), {
    result: 'warn',
    detail: 'extracted to directories: fsopen(erofs): ENODEV',
  });
  t.is(layers('erofs', { works: false, why: 'fsopen(erofs): ENODEV' }).result, 'fail');
  t.is(layers('extract', undefined).result, 'ok');
});
