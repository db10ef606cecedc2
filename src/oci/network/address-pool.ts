// Addresses of one subnet, handed out once each: a file per address, `<directory>/<address>`, that names its owner.
// Files appear whole or not at all and only where none was (link(2)), so several processes and crashes do no harm.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';
import { formatSubnet, offsetInSubnet, subnetAddress, subnetSize, type Subnet } from './subnet.ts';

export type AddressPool = {
  /** Shared by the pools of one network: IPv4 and IPv6 lie side by side. */
  readonly directory: string;
  readonly subnet: Subnet;
};

export type AddressOwner = { readonly owner: string; readonly bootId: string };
export type Allocation = AddressOwner & { readonly address: string };

/** What an allocation that was cut short leaves. */
const TEMPORARY = /^\.[0-9a-f]{8}-/;
/** Offset 0 is the subnet's own address, offset 1 its gateway. */
export const FIRST_OFFSET = 2n;
/** Of a large subnet only so many addresses are used: 2^20 pods will do, and the search stays bounded. */
const MAX_ADDRESSES = 1n << 20n;

/**
 * Take the next free address after the one that was handed out last, so that an address rests before it is used again.
 * Throws OciError ADDRESSES_EXHAUSTED.
 */
export function allocateAddress(pool: AddressPool, owner: AddressOwner): string {
  mkdirSync(pool.directory, { recursive: true, mode: 0o700 });
  const temporary = join(pool.directory, `.${randomUUID()}`);
  writeFileSync(temporary, JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
  try {
    const taken = new Set(readdirSync(pool.directory));
    for (const offset of offsets(pool)) {
      const address = subnetAddress(pool.subnet, offset);
      if (taken.has(address) || !tryLink(temporary, join(pool.directory, address))) continue;
      rememberLast(pool, address);
      return address;
    }
  } finally {
    rmSync(temporary, { force: true });
  }
  const subnet = formatSubnet(pool.subnet);
  throw new OciError('ADDRESSES_EXHAUSTED', `Cannot give pod ${owner.owner} an address: all of ${subnet} are in use`);
}

/** Give an address back. It need not be taken. */
export function releaseAddress(directory: string, address: string): void {
  if (isIP(address) === 0) throw new RangeError(`'${address}' is not an IP address`);
  rmSync(join(directory, address), { force: true });
}

/** All addresses that are taken. A file that was damaged has the owner ''. */
export function listAddresses(directory: string): Allocation[] {
  return namesIn(directory)
    .filter((name) => isIP(name) !== 0)
    .map((address) => ({ address, ...readOwner(join(directory, address)) }));
}

/**
 * Release what no pod has any more: addresses of another boot, and of owners that `isAlive` does not know. A lock must keep
 * allocations out meanwhile. Returns the addresses that were released.
 */
export function collectAddresses(directory: string, bootId: string, isAlive: (owner: string) => boolean): string[] {
  const gone = listAddresses(directory)
    .filter((allocation) => allocation.bootId !== bootId || !isAlive(allocation.owner))
    .map(({ address }) => address);
  for (const address of gone) releaseAddress(directory, address);
  for (const name of namesIn(directory).filter((name) => TEMPORARY.test(name)))
    rmSync(join(directory, name), { force: true });
  return gone;
}

function* offsets(pool: AddressPool): Generator<bigint> {
  // The highest IPv4 address is the broadcast address.
  const end = subnetSize(pool.subnet) - (pool.subnet.family === 4 ? 1n : 0n);
  const count = end - FIRST_OFFSET < MAX_ADDRESSES ? end - FIRST_OFFSET : MAX_ADDRESSES;
  if (count <= 0n) return;
  const start = lastOffset(pool) + 1n - FIRST_OFFSET;
  for (let step = 0n; step < count; step++) yield FIRST_OFFSET + ((start + step) % count);
}

/** Only a hint: where the search begins. */
function lastOffset(pool: AddressPool): bigint {
  const last = namesIn(lastDirectory(pool))[0] ?? '';
  const offset = isIP(last) === 0 ? undefined : offsetInSubnet(pool.subnet, last);
  return offset === undefined || offset < FIRST_OFFSET ? FIRST_OFFSET - 1n : offset;
}

function rememberLast(pool: AddressPool, address: string): void {
  const directory = lastDirectory(pool);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [previous, ...rest] = namesIn(directory);
  for (const name of rest) rmSync(join(directory, name), { force: true });
  try {
    if (previous === undefined) writeFileSync(join(directory, address), '', { mode: 0o600 });
    else renameSync(join(directory, previous), join(directory, address));
  } catch (error) {
    // Another process has moved it on.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** `.last4` holds one empty file, named for the address: a rename moves it on in one step. */
function lastDirectory({ directory, subnet }: AddressPool): string {
  return join(directory, `.last${subnet.family}`);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function readOwner(path: string): AddressOwner {
  try {
    const { owner, bootId } = JSON.parse(readFileSync(path, 'utf8')) as Partial<AddressOwner>;
    return { owner: owner ?? '', bootId: bootId ?? '' };
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT')) return { owner: '', bootId: '' };
    throw error;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
