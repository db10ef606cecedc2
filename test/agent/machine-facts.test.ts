import { tmpdir } from 'node:os';

import test from 'ava';

import { deviceName, parseCpuTime, parseMeminfo, readMachine, splitDevice } from '../../src/agent/machine-facts.ts';

test('meminfo is read in bytes', (t) => {
  const memory = parseMeminfo('MemTotal:        4000 kB\nMemFree:          10 kB\nHugePages_Total:       0\n');
  t.is(memory.get('MemTotal'), 4_096_000);
  t.is(memory.get('MemFree'), 10_240);
  t.false(memory.has('HugePages_Total'));
});

test('processor time leaves waiting and guests out', (t) => {
  t.deepEqual(parseCpuTime('cpu  100 50 30 9999 888 10 10 77 66 55\ncpu0 1 1 1 1 1 1 1 1 1 1\n'), {
    user: 1.5,
    system: 0.5,
  });
});

test('a device number is split as the C library does it', (t) => {
  t.deepEqual(splitDevice(0x803), { major: 8, minor: 3 });
  t.deepEqual(splitDevice(0x10300), { major: 259 & 0xfff, minor: 0 });
  t.deepEqual(splitDevice(2 ** 20 + 0x801), { major: 8, minor: 0x101 });
});

test('a device that is no block device is called by its numbers', (t) => {
  t.is(deviceName(0, 9999), '0:9999');
});

test('the machine that runs this has processors, memory and a disk', (t) => {
  const machine = readMachine(tmpdir());
  t.true(machine.cpuCores >= 1);
  t.true(machine.memoryBytes > machine.memoryAvailableBytes - 1);
  t.true(machine.cpuSeconds.user > 0);
  t.true(machine.disk.sizeBytes > 0 && machine.disk.usedBytes <= machine.disk.sizeBytes);
  t.false(machine.interfaces.some(({ name }) => name === 'lo' || name.startsWith('veth')));
});
