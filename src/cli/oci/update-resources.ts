// The limits that `update` sets: from a file, from flags. Pure.
import type { CgroupResources } from '../../linux/cgroup/resources.ts';
import { given } from '../../oci/runtime/merge-limits.ts';
import { CommandFailure } from '../failure.ts';

export const LIMIT_FLAGS = {
  'blkio-weight': { type: 'string', value: 'N', help: 'block I/O weight' },
  'cpu-period': { type: 'string', value: 'US', help: 'period of the quota' },
  'cpu-quota': { type: 'string', value: 'US', help: 'time in each period; -1: no limit' },
  'cpu-burst': { type: 'string', value: 'US', help: 'unused quota that may be saved' },
  'cpu-share': { type: 'string', value: 'N', help: 'weight among others' },
  'cpu-idle': { type: 'string', value: '0|1', help: '1: run only when nothing else does' },
  'cpu-rt-period': { type: 'string', value: 'US', help: 'period of the realtime limit' },
  'cpu-rt-runtime': { type: 'string', value: 'US', help: 'realtime in each period' },
  'cpuset-cpus': { type: 'string', value: 'LIST', help: 'processors it may use' },
  'cpuset-mems': { type: 'string', value: 'LIST', help: 'memory nodes it may use' },
  'kernel-memory': {
    type: 'string',
    value: 'BYTES',
    help: 'taken and not looked at: kernels have no such limit any more',
  },
  'kernel-memory-tcp': { type: 'string', value: 'BYTES', help: 'taken and not looked at' },
  memory: { type: 'string', value: 'BYTES', help: 'memory limit; -1: none' },
  'memory-reservation': { type: 'string', value: 'BYTES', help: 'what is left when memory is short' },
  'memory-swap': { type: 'string', value: 'BYTES', help: 'memory and swap together; -1: no limit' },
  'pids-limit': { type: 'string', value: 'N', help: 'most processes and threads; -1: no limit' },
} as const;

export type LimitFlags = { readonly [K in keyof typeof LIMIT_FLAGS]?: string | undefined };

/** The limits that flags ask for. Throws CommandFailure when one is no number. */
export function limitsOf(flags: LimitFlags): CgroupResources {
  const cpu = defined({
    period: number(flags, 'cpu-period'),
    quota: number(flags, 'cpu-quota'),
    burst: number(flags, 'cpu-burst'),
    shares: number(flags, 'cpu-share'),
    idle: number(flags, 'cpu-idle'),
    realtimePeriod: number(flags, 'cpu-rt-period'),
    realtimeRuntime: number(flags, 'cpu-rt-runtime'),
    cpus: flags['cpuset-cpus'],
    mems: flags['cpuset-mems'],
  });
  const memory = defined({
    limit: size(flags, 'memory'),
    reservation: size(flags, 'memory-reservation'),
    swap: size(flags, 'memory-swap'),
  });
  const pids = defined({ limit: number(flags, 'pids-limit') });
  const blockIO = defined({ weight: number(flags, 'blkio-weight') });
  return { ...given({ cpu }), ...given({ memory }), ...given({ pids }), ...given({ blockIO }) };
}

type Defined<T> = { readonly [K in keyof T]?: NonNullable<T[K]> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function number(flags: LimitFlags, flag: keyof LimitFlags): number | undefined {
  const text = flags[flag];
  if (text === undefined || text === '') return undefined;
  if (!/^-?\d+$/.test(text))
    throw new CommandFailure(`Invalid value for ${flag}: --${flag} is a number, not '${text}'`);
  return Number(text);
}

const UNITS = 'bkmgtp';

/** Bytes, or with a unit such as `64M`: powers of 1024. */
function size(flags: LimitFlags, flag: keyof LimitFlags): number | undefined {
  const text = flags[flag];
  if (text === undefined || text === '') return undefined;
  if (text === '-1') return -1;
  const match = /^(?<digits>\d+(?:\.\d+)?)\s*(?<unit>[bkmgtp]?)(?:i?b)?$/i.exec(text);
  if (match?.groups === undefined)
    throw new CommandFailure(`Invalid value for ${flag}: --${flag} is a size, not '${text}'`);
  const { digits = '', unit = '' } = match.groups;
  return Math.floor(Number(digits) * 1024 ** Math.max(0, UNITS.indexOf(unit.toLowerCase() || 'b')));
}
