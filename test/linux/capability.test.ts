import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import * as fc from 'fast-check';

import {
  CAPABILITIES,
  capabilityData,
  capabilityHeader,
  capabilityMask,
  capabilityNames,
  capabilityNumber,
  boundingCapabilities,
  lastCapability,
  parseCapabilityData,
} from '../../src/linux/capability.ts';

test('capabilities have the numbers of the kernel header', (t) => {
  t.is(CAPABILITIES.length, 41);
  t.is(capabilityNumber('CAP_CHOWN'), 0);
  t.is(capabilityNumber('CAP_SYS_ADMIN'), 21);
  t.is(capabilityNumber('CAP_SETFCAP'), 31);
  t.is(capabilityNumber('CAP_CHECKPOINT_RESTORE'), 40);
});

test('masks and names are inverse', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.subarray([...CAPABILITIES]), (names) => {
        assert.deepEqual(capabilityNames(capabilityMask(names)), names);
      }),
    ),
  );
});

test('unknown capabilities are all named in one error', (t) => {
  t.throws(() => capabilityMask(['CAP_KILL', 'KILL', 'CAP_FLY']), {
    instanceOf: RangeError,
    message: "Unknown capabilities 'KILL', 'CAP_FLY'",
  });
  t.throws(() => capabilityNumber('chown'), { message: "Unknown capability 'chown'" });
});

test('a bit without a name is printed by its number', (t) => {
  t.deepEqual(capabilityNames((1n << 50n) | 1n), ['CAP_CHOWN', 'CAP_50']);
});

test('the structs of capset have the layout of the kernel', (t) => {
  t.is(capabilityHeader().toString('hex'), '2205082000000000');
  t.is(capabilityHeader(258).toString('hex'), '2205082002010000');
  const sets = { effective: 1n | (1n << 40n), permitted: 2n, inheritable: 4n | (1n << 32n) };
  t.is(
    capabilityData(sets).toString('hex'),
    ['01000000', '02000000', '04000000', '00010000', '00000000', '01000000'].join(''),
  );
  t.deepEqual(parseCapabilityData(capabilityData(sets)), sets);
});

test('any three sets survive the way through their struct', (t) => {
  const mask = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.record({ effective: mask, permitted: mask, inheritable: mask }, { noNullPrototype: true }),
        (sets) => {
          assert.deepEqual(parseCapabilityData(capabilityData(sets)), sets);
        },
      ),
    ),
  );
});

test('the highest capability comes from the kernel', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-cap-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'cap_last_cap'), '37\n');
  t.is(lastCapability(join(directory, 'cap_last_cap')), 37);
  t.is(lastCapability(), Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')));
});

test('the bounding set is read from the status of this process', (t) => {
  t.is(boundingCapabilities('CapEff:\t1\nCapBnd:\t00000000000005fb\nCapAmb:\t0\n'), 0x5fbn);
  t.is(boundingCapabilities('Name:\tnode\n'), 0n);
  t.true(boundingCapabilities() < 1n << BigInt(lastCapability() + 1));
});
