// The capability bounding set of one thread: what the programs it executes can hold at most (capabilities(7)).
import { capabilityData, capabilityHeader, lastCapability, parseCapabilityData } from './capability.ts';
import { check } from './errno.ts';
import { libc } from './libc.ts';
import { PR_CAPBSET_DROP, inBoundingSet, prctl } from './prctl.ts';

type CCap = (header: Buffer, data: Buffer) => number;
const c_capget: CCap = libc.func('int capget(void *header, void *data)');
const c_capset: CCap = libc.func('int capset(void *header, const void *data)');

/**
 * Drop everything that is not in `keep` (a mask) from the bounding set of the calling thread, for good. Other threads keep
 * theirs. What this thread executes as root still begins with all capabilities: they are made inheritable first, and execve(2)
 * permits root the union of both sets. Throws SyscallError (EPERM without CAP_SETPCAP).
 */
export function narrowBoundingSet(keep: bigint): void {
  const data = Buffer.alloc(24);
  check(c_capget(capabilityHeader(), data), 'capget', () => 'this thread');
  const sets = parseCapabilityData(data);
  const inheritable = { ...sets, inheritable: sets.inheritable | sets.permitted };
  check(c_capset(capabilityHeader(), capabilityData(inheritable)), 'capset', () => 'all inheritable');
  for (let number = 0; number <= lastCapability(); number++) {
    if ((keep & (1n << BigInt(number))) === 0n && inBoundingSet(number)) prctl(PR_CAPBSET_DROP, number);
  }
}
