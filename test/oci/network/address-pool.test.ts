import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';

import { isOciError } from '../../../src/oci/error.ts';
import {
  allocateAddress,
  collectAddresses,
  listAddresses,
  releaseAddress,
  type AddressPool,
} from '../../../src/oci/network/address-pool.ts';
import { parseSubnet } from '../../../src/oci/network/subnet.ts';

const owner = (name: string, bootId = 'boot-1') => ({ owner: name, bootId });

function pool(t: ExecutionContext, subnet = '10.88.0.0/16'): AddressPool {
  const directory = mkdtempSync(join(tmpdir(), 'berth-pool-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return { directory, subnet: parseSubnet(subnet) };
}

test('addresses are handed out in a row, behind the gateway', (t) => {
  const p = pool(t);
  t.deepEqual(
    ['a', 'b', 'c'].map((name) => allocateAddress(p, owner(name))),
    ['10.88.0.2', '10.88.0.3', '10.88.0.4'],
  );
});

test('an address that was given back rests until all others were used', (t) => {
  const p = pool(t, '10.0.0.0/29');
  const first = allocateAddress(p, owner('a'));
  releaseAddress(p.directory, first);
  const later = ['b', 'c', 'd', 'e', 'f'].map((name) => allocateAddress(p, owner(name)));
  t.deepEqual(later, ['10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', first]);
});

test('a full pool says so: all but the subnet, the gateway and the broadcast address are used', (t) => {
  const p = pool(t, '10.0.0.0/29');
  for (const name of ['a', 'b', 'c', 'd', 'e']) allocateAddress(p, owner(name));
  const error = t.throws(() => allocateAddress(p, owner('f')));
  t.true(isOciError(error, 'ADDRESSES_EXHAUSTED'));
  t.is(error?.message, 'Cannot give pod f an address: all of 10.0.0.0/29 are in use');
  t.is(listAddresses(p.directory).length, 5);
  t.deepEqual(
    readdirSync(p.directory).filter((name) => /^\.[0-9a-f]/.test(name)),
    [],
  );
});

test('IPv4 and IPv6 lie side by side, each with its own order', (t) => {
  const p = pool(t);
  const six = { ...p, subnet: parseSubnet('fd00::/64') };
  t.is(allocateAddress(p, owner('a')), '10.88.0.2');
  t.is(allocateAddress(six, owner('a')), 'fd00::2');
  t.is(allocateAddress(p, owner('b')), '10.88.0.3');
  t.is(allocateAddress(six, owner('b')), 'fd00::3');
  t.is(listAddresses(p.directory).length, 4);
});

test('an address is known with its owner', (t) => {
  const p = pool(t);
  allocateAddress(p, owner('pod-a'));
  t.deepEqual(listAddresses(p.directory), [{ address: '10.88.0.2', owner: 'pod-a', bootId: 'boot-1' }]);
});

test('what no pod has and what another boot left is collected; what is in use stays', (t) => {
  const p = pool(t);
  for (const name of ['dead', 'alive']) allocateAddress(p, owner(name));
  allocateAddress(p, owner('alive', 'boot-0'));
  writeFileSync(join(p.directory, '10.88.0.9'), '{"owner":'); // damaged by a crash of the machine
  writeFileSync(join(p.directory, '.0b6b1b9c-left-by-a-crash'), '');
  const gone = collectAddresses(p.directory, 'boot-1', (name) => name === 'alive');
  t.deepEqual(gone.sort(), ['10.88.0.2', '10.88.0.4', '10.88.0.9']);
  t.deepEqual(listAddresses(p.directory), [{ address: '10.88.0.3', owner: 'alive', bootId: 'boot-1' }]);
  t.deepEqual(readdirSync(p.directory).sort(), ['.last4', '10.88.0.3']);
});

test('giving back twice, and listing where there is nothing, is fine', (t) => {
  const p = pool(t);
  t.notThrows(() => releaseAddress(p.directory, '10.88.0.2'));
  t.deepEqual(listAddresses(join(p.directory, 'none')), []);
  t.throws(() => releaseAddress(p.directory, '../x'), { instanceOf: RangeError });
});

test('four processes at once never get the same address', async (t) => {
  const p = pool(t, '10.0.0.0/25');
  const script = `
    import { allocateAddress } from ${JSON.stringify(import.meta.resolve('../../../src/oci/network/address-pool.ts'))};
    import { parseSubnet } from ${JSON.stringify(import.meta.resolve('../../../src/oci/network/subnet.ts'))};
    const pool = { directory: ${JSON.stringify(p.directory)}, subnet: parseSubnet('10.0.0.0/25') };
    for (let i = 0; i < 25; i++) console.log(allocateAddress(pool, { owner: String(process.pid), bootId: 'b' }));`;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const outputs = await Promise.all(Array.from({ length: 4 }, run));
  const addresses = outputs.flatMap(({ stdout }) => stdout.trim().split('\n'));
  t.is(addresses.length, 100);
  t.is(new Set(addresses).size, 100);
});
