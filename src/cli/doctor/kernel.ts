// The kernel, and what this process may do with it.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';

import { capabilityNumber } from '../../linux/capability.ts';
import { isErrno } from '../../linux/errno.ts';
import { PROBED_CALLS, probeCall } from '../../linux/kernel-features.ts';
import { fail, ok, warn, type Check } from './check.ts';

const OLDEST = [5, 15] as const;
const NEEDED = [
  'CAP_SYS_ADMIN',
  'CAP_NET_ADMIN',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_MKNOD',
];

/** Kernel version, system calls, privileges, seccomp, pressure. */
export function kernelChecks(): Check[] {
  return [architecture(), version(release()), calls(), privileges(), seccomp(), pressure()];
}

function architecture(): Check {
  if (process.arch === 'x64' || process.arch === 'arm64') return ok('architecture', process.arch);
  return fail('architecture', process.arch, 'berth runs on x86-64 and arm64');
}

/** Pure. */
export function version(text: string): Check {
  const [major = 0, minor = 0] = text.split(/[.-]/).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  const recent = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return recent
    ? ok('kernel', text)
    : fail('kernel', text, `Linux ${OLDEST.join('.')} is the oldest that berth runs on`);
}

function calls(): Check {
  const found = PROBED_CALLS.map((name) => ({ name, is: probeCall(name) }));
  const missing = found.filter(({ is }) => is === 'missing').map(({ name }) => name);
  const refused = found.filter(({ is }) => is === 'refused').map(({ name }) => name);
  if (missing.length > 0) return fail('system calls', `missing: ${missing.join(', ')}`, 'A newer kernel has them');
  if (refused.length > 0) {
    return warn('system calls', `refused: ${refused.join(', ')}`, 'Run as root, and outside of another container');
  }
  return ok('system calls', `all ${found.length} that berth needs`);
}

function privileges(): Check {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  const effective = BigInt(`0x${mask}`);
  const missing = NEEDED.filter((name) => ((effective >> BigInt(capabilityNumber(name))) & 1n) === 0n);
  if (missing.length === 0) return ok('privileges', 'root, with all capabilities that berth needs');
  return fail('privileges', `missing: ${missing.join(', ')}`, 'Run as root, outside of another container');
}

function seccomp(): Check {
  const actions = readIfThere('/proc/sys/kernel/seccomp/actions_avail');
  if (actions === undefined) return fail('seccomp', 'not in this kernel', 'The kernel needs CONFIG_SECCOMP_FILTER');
  return ok('seccomp', actions.trim());
}

function pressure(): Check {
  if (readIfThere('/proc/pressure/cpu') !== undefined) return ok('pressure', 'container_pressure_* metrics are there');
  return warn('pressure', 'not in this kernel', 'Boot with psi=1 for the container_pressure_* metrics');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EOPNOTSUPP', 'EACCES')) return undefined;
    throw error;
  }
}
