import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { allowsEverything, DEVICE_ACCESS, DEVICE_TYPE, deviceFilter } from '../../../src/linux/bpf/device-filter.ts';
import { encodeProgram, printProgram } from '../../../src/linux/bpf/instruction.ts';
import type { CgroupDeviceRule } from '../../../src/linux/cgroup/resources.ts';
import { defaultDeviceRules, usableDeviceRules } from '../../../src/oci/runtime/defaults.ts';
import { assertGolden } from '../../assert-golden.ts';
import { interpret, unreachable } from './interpreter.ts';

type Request = { readonly type: 'b' | 'c'; readonly major: number; readonly minor: number; readonly access: string };

/** What the rules mean: of each kind of access that is asked for, the last rule that matches says whether. */
function allowed(rules: readonly CgroupDeviceRule[], request: Request): boolean {
  return request.access.split('').every((letter) => {
    const last = rules.findLast(
      ({ type = 'a', major = -1, minor = -1, access = 'rwm' }) =>
        (type === 'a' || type === request.type) &&
        (major === -1 || major === request.major) &&
        (minor === -1 || minor === request.minor) &&
        access.includes(letter),
    );
    return last?.allow === true;
  });
}

function runs(rules: readonly CgroupDeviceRule[], { type, major, minor, access }: Request): boolean {
  const bits = access.split('').reduce((sum, letter) => sum | DEVICE_ACCESS[letter as 'r' | 'w' | 'm'], 0);
  const context = { access: bits, type: DEVICE_TYPE[type], major, minor };
  return interpret(encodeProgram(deviceFilter(rules)), context) === 1;
}

const accesses = ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'];
// Few numbers, so that rules and requests meet; and the largest.
const numbers = fc.constantFrom(0, 1, 2, 0x7fff_ffff, 0xffff_ffff);
const rule: fc.Arbitrary<CgroupDeviceRule> = fc.record(
  {
    allow: fc.boolean(),
    type: fc.constantFrom('a' as const, 'b' as const, 'c' as const),
    major: fc.oneof(fc.constant(-1), numbers),
    minor: fc.oneof(fc.constant(-1), numbers),
    access: fc.constantFrom(...accesses),
  },
  { requiredKeys: ['allow'] },
);
const request: fc.Arbitrary<Request> = fc.record({
  type: fc.constantFrom('b' as const, 'c' as const),
  major: numbers,
  minor: numbers,
  access: fc.constantFrom(...accesses),
});
const rules = fc.array(rule, { maxLength: 12 });

test('the program answers as the rules mean, for every request', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(rules, request, (list, asked) => assert.equal(runs(list, asked), allowed(list, asked))),
      { numRuns: 2000 },
    ),
  );
});

test('every instruction can be reached', (t) => {
  t.notThrows(() =>
    fc.assert(fc.property(rules, (list) => assert.deepEqual(unreachable(encodeProgram(deviceFilter(list))), []))),
  );
});

test('rules that allow everything are known, and no others', (t) => {
  t.true(allowsEverything([{ allow: true }]));
  t.true(allowsEverything([{ allow: false }, { allow: true, type: 'a', access: 'wmr' }, { allow: true, type: 'c' }]));
  t.false(allowsEverything([]));
  t.false(allowsEverything([{ allow: true, type: 'c' }]));
  t.false(allowsEverything([{ allow: true, access: 'rw' }]));
  t.notThrows(() =>
    fc.assert(fc.property(rules, request, (list, asked) => assert.ok(!allowsEverything(list) || allowed(list, asked)))),
  );
});

test('what no device has is refused', (t) => {
  t.throws(() => deviceFilter([{ allow: true, access: 'rx' }]), { instanceOf: RangeError, message: /'rx'/ });
  t.throws(() => deviceFilter([{ allow: true, major: -2 }]), { instanceOf: RangeError, message: /-2/ });
  t.throws(() => deviceFilter([{ allow: true, minor: 2 ** 32 }]), { instanceOf: RangeError });
});

test('the program of the default rules', (t) => {
  const list = [
    ...defaultDeviceRules(['CAP_MKNOD']),
    { allow: false, type: 'b' as const, access: 'm' },
    ...usableDeviceRules(),
  ];
  assertGolden(t, 'bpf/default-devices.txt', printProgram(deviceFilter(list)));
});
