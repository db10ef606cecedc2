// process.scheduler, process.ioPriority, process.execCPUAffinity, linux.memoryPolicy and linux.personality: how the kernel
// treats the process. All of it is kept over execve(2).
import {
  IOPRIO_CLASSES,
  IOPRIO_WHO_PROCESS,
  MEMORY_POLICIES,
  MEMORY_POLICY_FLAGS,
  PERSONALITIES,
  SCHED_FLAGS,
  SCHED_POLICIES,
  indexMask,
  ioprioValue,
  parseIndexList,
  schedAttrBytes,
} from '../../linux/scheduling.ts';
import { bytes, value, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Linux, MemoryPolicy, Process, Scheduler } from './config.ts';

/** Operations for what a process says of its priority; none where it says nothing. Throws OciError CONFIG_INVALID. */
export function priorityOperations({ scheduler, ioPriority }: Process): Operation[] {
  return [
    ...(scheduler === undefined ? [] : [schedulerOperation(scheduler)]),
    ...(ioPriority === undefined ? [] : [ioPriorityOperation(ioPriority)]),
  ];
}

/** Operations for what the container says of all its processes. Throws OciError CONFIG_INVALID. */
export function executionOperations({ memoryPolicy, personality }: Linux): Operation[] {
  return [
    ...(memoryPolicy === undefined ? [] : [memoryPolicyOperation(memoryPolicy)]),
    ...(personality === undefined ? [] : [personalityOperation(personality)]),
  ];
}

/** sched_setaffinity(2) of this process; `field` names where the list stands. Throws OciError CONFIG_INVALID. */
export function affinityOperation(list: string, field: string): Operation {
  const mask = inField(field, () => indexMask(parseIndexList(list)));
  return {
    call: 'sched_setaffinity',
    args: [0, mask.length, bytes(mask, `[${list}]`)],
    what: `run on processors ${list}`,
  };
}

function schedulerOperation(scheduler: Scheduler): Operation {
  const { policy, nice = 0, priority = 0, flags = [], runtime = 0, deadline = 0, period = 0 } = scheduler;
  const attr = inField('process.scheduler', () =>
    schedAttrBytes({
      policy: numberOf(SCHED_POLICIES, policy, 'process.scheduler.policy'),
      flags: maskOf(SCHED_FLAGS, flags, 'process.scheduler.flags'),
      nice,
      priority,
      runtime,
      deadline,
      period,
    }),
  );
  const shown = `{${policy}, nice ${nice}, priority ${priority}}`;
  return { call: 'sched_setattr', args: [0, bytes(attr, shown), 0], what: `schedule as ${policy}` };
}

function ioPriorityOperation({ class: name, priority = 0 }: NonNullable<Process['ioPriority']>): Operation {
  const ioClass = numberOf(IOPRIO_CLASSES, name, 'process.ioPriority.class');
  if (!Number.isInteger(priority) || priority < 0 || priority > 7)
    throw new OciError('CONFIG_INVALID', `process.ioPriority.priority: ${priority} is not from 0 to 7`);
  const shown = value(ioprioValue(ioClass, priority), `${name}|${priority}`);
  return {
    call: 'ioprio_set',
    args: [value(IOPRIO_WHO_PROCESS, 'IOPRIO_WHO_PROCESS'), 0, shown],
    what: `set the I/O priority to ${name} ${priority}`,
  };
}

/** The kernel takes one bit less than it is told of (get_nodes() of mm/mempolicy.c). */
function memoryPolicyOperation({ mode, nodes, flags = [] }: MemoryPolicy): Operation {
  const number =
    numberOf(MEMORY_POLICIES, mode, 'linux.memoryPolicy.mode') |
    maskOf(MEMORY_POLICY_FLAGS, flags, 'linux.memoryPolicy.flags');
  const shown = value(number, [mode, ...flags].join('|'));
  const what = `set the memory policy to ${mode}`;
  if (nodes === undefined || nodes === '') return { call: 'set_mempolicy', args: [shown, 0, 0], what };
  const mask = inField('linux.memoryPolicy.nodes', () => indexMask(parseIndexList(nodes)));
  return { call: 'set_mempolicy', args: [shown, bytes(mask, `[${nodes}]`), 8 * mask.length + 1], what };
}

function personalityOperation({ domain, flags = [] }: NonNullable<Linux['personality']>): Operation {
  const number = numberOf(PERSONALITIES, domain, 'linux.personality.domain');
  if (flags.length > 0)
    throw new OciError(
      'CONFIG_INVALID',
      `linux.personality.flags: '${flags.join(', ')}': the specification knows none`,
    );
  return { call: 'personality', args: [value(number, domain)], what: `take the personality ${domain}` };
}

function numberOf(table: Readonly<Record<string, number>>, name: string, field: string): number {
  const number = Object.hasOwn(table, name) ? table[name] : undefined;
  if (number !== undefined) return number;
  throw new OciError('CONFIG_INVALID', `${field}: '${name}' is none of ${Object.keys(table).join(', ')}`);
}

function maskOf(table: Readonly<Record<string, number>>, names: readonly string[], field: string): number {
  return names.reduce((mask, name) => mask | numberOf(table, name, field), 0);
}

/** A number or list that the kernel's interface cannot hold is the configuration's mistake. */
function inField<T>(field: string, encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof SyntaxError)) throw error;
    throw new OciError('CONFIG_INVALID', `${field}: ${error.message}`, { cause: error });
  }
}
