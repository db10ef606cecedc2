// From a process in its namespaces to the user's program: limits, identity, capabilities, exec. Used by the start of a container
// and by exec. The order is the point: each step gives up what the next no longer needs.
//
//   limits → bounding set → cwd, groups, gid, uid → capabilities → no_new_privs → [wait for start] → seccomp → execve
//
// Without no_new_privs, seccomp(2) needs CAP_SYS_ADMIN, so there it is kept until the end. The program does not get it from that:
// execve(2) makes its capabilities from the bounding, inheritable and ambient sets (capabilities(7), "Transformation").
import { capabilityData, capabilityHeader, capabilityMask, capabilityNames } from '../../linux/capability.ts';
import {
  PR_CAPBSET_DROP,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_RAISE,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
} from '../../linux/prctl.ts';
import { rlimitBytes, rlimitNumber, rlimitValue } from '../../linux/rlimit.ts';
import { NEXT, skip } from '../../linux/tape/assemble.ts';
import { bytes, stringVector, text, value, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { CapabilitySet, Process } from './config.ts';
import { octal, writeFile } from './path-operations.ts';
import { priorityOperations } from './scheduling-operations.ts';
import { seccompOperations, type SeccompFacts } from './seccomp-operations.ts';

const DEFAULT_UMASK = 0o022;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type ProcessFacts = SeccompFacts & {
  /**
   * What there is to give, as a mask. A capability beyond it is left out: config.md, "process.capabilities", wants no failure
   * where the runtime has fewer itself.
   */
  readonly capabilities: bigint;
  /** The bounding set that the process begins with, as a mask. */
  readonly bounding: bigint;
};

/** Everything but seccomp and the exec itself. */
export function identityOperations(process: Process, facts: ProcessFacts): Operation[] {
  return [
    ...priorityOperations(process),
    ...rlimitOperations(process),
    ...boundingOperations(process, facts.bounding),
    ...userAndDirectory(process),
    ...capabilityOperations(process, { all: facts.capabilities, kept: keptForFilter(process, facts) }),
    ...(process.noNewPrivileges === true ? [noNewPrivileges()] : []),
  ];
}

/**
 * Into the working directory before the change of user, as root reaches more; where root may not (NFS with root_squash), after it.
 * The tape stands in the root until here.
 */
function userAndDirectory(process: Process): Operation[] {
  const { cwd, user } = process;
  const become = userOperations(process);
  if (cwd === '/') return become;
  const change = (): Operation => ({
    call: 'chdir',
    args: [text(cwd)],
    what: `change to the working directory ${cwd}`,
  });
  if (user.uid === 0) return [change(), ...become];
  return [
    { ...change(), onError: NEXT, onZero: skip(become.length + 1) },
    ...become,
    { ...change(), onZero: skip(become.length) },
    ...userOperations(process),
  ];
}

/** execve(2) of the program: once when it is a path, else in every directory of PATH until one has it. */
export function execOperations(process: Process): Operation[] {
  const [program, ...rest] = process.args;
  if (program === undefined || program === '')
    throw new OciError('CONFIG_INVALID', 'process.args is empty: there is no program to run');
  const environment = process.env ?? [];
  const argv = stringVector([program, ...rest]);
  const envp = { ...stringVector(environment), show: `/* ${environment.length} variables */` };
  const candidates = program.includes('/')
    ? [program]
    : searchPath(environment).map((directory) => `${directory}/${program}`);
  return candidates.map((path, index) => ({
    call: 'execve',
    args: [text(path), argv, envp],
    what: program.includes('/') ? `run ${program}` : `run '${program}' from $PATH`,
    ...(index < candidates.length - 1 ? { onError: NEXT } : {}),
  }));
}

function searchPath(environment: readonly string[]): readonly string[] {
  const path = environment.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  const directories = path.split(':').map((directory) => (directory === '' ? '.' : directory));
  return [...new Set(directories)];
}

/** While the machine's own /proc is in view: one of a container may be anything (SEC-5). */
export function oomOperations(process: Process): Operation[] {
  return process.oomScoreAdj === undefined
    ? []
    : writeFile('/proc/self/oom_score_adj', String(process.oomScoreAdj), 'oom_score_adj');
}

function rlimitOperations(process: Process): Operation[] {
  return (process.rlimits ?? []).map(({ type, soft, hard }) => {
    const limit = bytes(rlimitBytes({ soft: rlimitValue(soft), hard: rlimitValue(hard) }), `{${soft}, ${hard}}`);
    return {
      call: 'prlimit64',
      args: [0, value(rlimitNumber(type), type), limit, 0],
      what: `set ${type} to ${soft}:${hard}`,
    };
  });
}

function maskOf(process: Process, set: CapabilitySet): bigint {
  try {
    return capabilityMask(process.capabilities?.[set] ?? []);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('CONFIG_INVALID', `process.capabilities.${set}: ${reason}`, { cause: error });
  }
}

/** The bounding set that a process is to have, as a mask. Throws OciError CONFIG_INVALID on an unknown name. */
export function boundingSet(process: Process | undefined): bigint {
  return process?.capabilities?.bounding === undefined ? 0n : maskOf(process, 'bounding');
}

function boundingOperations(process: Process, begun: bigint): Operation[] {
  return capabilityNames(begun & ~boundingSet(process)).map((name) => ({
    call: 'prctl',
    args: [value(PR_CAPBSET_DROP, 'PR_CAPBSET_DROP'), value(capabilityNumberOf(name), name), 0, 0, 0],
    what: `drop ${name} for good`,
  }));
}

function capabilityNumberOf(name: string): number {
  return /^CAP_\d+$/.test(name) ? Number(name.slice(4)) : Math.log2(Number(capabilityMask([name])));
}

function userOperations(process: Process): Operation[] {
  const { uid, gid, umask = DEFAULT_UMASK, additionalGids = [] } = process.user;
  const groups = Buffer.alloc(4 * additionalGids.length);
  additionalGids.forEach((group, index) => groups.writeUInt32LE(group, 4 * index));
  const shown = `[${additionalGids.join(', ')}]`;
  return [
    ...(uid === 0 ? [] : [prctl(PR_SET_KEEPCAPS, 'PR_SET_KEEPCAPS', 1, 'keep capabilities over setresuid')]),
    {
      call: 'setgroups',
      args: [additionalGids.length, bytes(groups, shown)],
      what: `set supplementary groups ${shown}`,
    },
    ...(gid === 0 ? [] : [{ call: 'setresgid', args: [gid, gid, gid], what: `become group ${gid}` }]),
    ...(uid === 0 ? [] : [{ call: 'setresuid', args: [uid, uid, uid], what: `become user ${uid}` }]),
    { call: 'umask', args: [octal(umask)], what: `set the umask to ${umask.toString(8)}` },
  ];
}

/** The seccomp filter, as the last thing before the exec. */
export function filterOperations(process: Process, facts: ProcessFacts): Operation[] {
  const keeps = keptForFilter(process, facts) !== 0n;
  // A first process that stays (init) gets its capabilities from no execve(2).
  const giveUp =
    keeps && process.init === true ? capabilityOperations(process, { all: facts.capabilities, kept: 0n }) : [];
  return [...seccompOperations(facts), ...giveUp];
}

/** What seccomp(2) needs without no_new_privs. */
function keptForFilter(process: Process, facts: ProcessFacts): bigint {
  const needed = facts.seccompFilter !== undefined && process.noNewPrivileges !== true;
  return needed ? capabilityMask(['CAP_SYS_ADMIN']) & facts.capabilities : 0n;
}

function capabilityOperations(process: Process, { all, kept }: { all: bigint; kept: bigint }): Operation[] {
  const sets = {
    effective: (maskOf(process, 'effective') & all) | kept,
    permitted: (maskOf(process, 'permitted') & all) | kept,
    inheritable: maskOf(process, 'inheritable') & all,
  };
  // The kernel raises an ambient capability only where it is permitted and inheritable; runc leaves the others out too.
  const raisable = sets.permitted & sets.inheritable;
  const shown = `{effective ${capabilityNames(sets.effective).join('|') || '0'}}`;
  return [
    {
      call: 'capset',
      args: [bytes(capabilityHeader(), '{v3, self}'), bytes(capabilityData(sets), shown)],
      what: 'set the capabilities',
    },
    ...capabilityNames(maskOf(process, 'ambient') & raisable).map((name) => ({
      call: 'prctl',
      args: [
        value(PR_CAP_AMBIENT, 'PR_CAP_AMBIENT'),
        value(PR_CAP_AMBIENT_RAISE, 'PR_CAP_AMBIENT_RAISE'),
        value(capabilityNumberOf(name), name),
        0,
        0,
      ],
      what: `make ${name} ambient`,
    })),
  ];
}

function noNewPrivileges(): Operation {
  return prctl(PR_SET_NO_NEW_PRIVS, 'PR_SET_NO_NEW_PRIVS', 1, 'set no_new_privs');
}

function prctl(option: number, name: string, argument: number, what: string): Operation {
  return { call: 'prctl', args: [value(option, name), argument, 0, 0, 0], what };
}
