// The monitor's side of a container's tape: clone the first process, tell its pid, wait, write how it ended.
import { CLONE_FLAGS, CLONE_INTO_CGROUP, SIGCHLD } from '../../linux/namespace-flags.ts';
import { formatFlags } from '../../linux/flags.ts';
import { PR_SET_NAME } from '../../linux/prctl.ts';
import { SIGINFO_SIZE } from '../../linux/siginfo.ts';
import { NEXT } from '../../linux/tape/assemble.ts';
import { exitGroup, statusFd } from '../../linux/tape/blocks.ts';
import {
  FAILURE,
  FAILURE_SIZE,
  bytes,
  inside,
  result,
  text,
  value,
  words,
  zone,
  type Argument,
  type Operation,
} from '../../linux/tape/operation.ts';
import { closeAllBut } from './close-operations.ts';
import { FAILURE_OFFSET, PID_OFFSET, STATUS_OFFSET } from './exit-file.ts';
import { atCwd, octal } from './path-operations.ts';
import { TERMINAL_KEEP_FD } from './terminal-operations.ts';

/** The exit file's descriptor in both processes of the tape. */
export const EXIT_FD = 10;
const exitFd = value(EXIT_FD, 'exit');

const O_CLOEXEC = value(0o2000000, 'O_CLOEXEC');
const O_WRONLY_CREAT_CLOEXEC = value(0o2000101, 'O_WRONLY|O_CREAT|O_CLOEXEC');
const O_PATH_CLOEXEC = value(0o12000000, 'O_PATH|O_CLOEXEC');
const LOCK_EX_NB = value(6, 'LOCK_EX|LOCK_NB');
const P_PID = value(1, 'P_PID');
const WEXITED = value(4, 'WEXITED');
const SIZEOF_CLONE_ARGS = 88;
const RECORD_SIZE = 16;

export type MonitorOptions = {
  readonly exitFile: string;
  /** CLONE_NEW* of the namespaces to make. */
  readonly cloneFlags: number;
  /** What is done before the clone, to be in its result. */
  readonly beforeClone: readonly Operation[];
  /** cgroup v2: the directory to be born in. */
  readonly cgroupDirectory: string | undefined;
  /** The process has a terminal, and the monitor a part in it. */
  readonly terminal: boolean;
  /** Whose child the first process is; see `Parent`. */
  readonly parent: Parent;
};

/**
 * Who waits for the end of the first process. `monitor`: a process of ours stays and writes down how it ended. `caller`: whoever
 * runs this program, or is its subreaper (conmon, containerd's shim), as with runc: they reap it themselves.
 */
export type Parent = 'monitor' | 'caller';

/** Operations of the monitor. Its clone goes to the block `container`. */
export function monitorOperations(options: MonitorOptions): Operation[] {
  const record = bytes(Buffer.alloc(RECORD_SIZE), '<started>');
  const pid = result('pid');
  return [
    ...openExitFile(options.exitFile),
    ...openCgroup(options.cgroupDirectory),
    ...options.beforeClone,
    cloneOperation(options, inside(record, 8), pid),
    { call: 'pwrite64', args: [exitFd, record, RECORD_SIZE, PID_OFFSET], what: 'write the pid to the exit file' },
    { call: 'write', args: [statusFd, record, RECORD_SIZE], what: 'report the pid' },
    ...(options.parent === 'caller' ? [exitGroup(0)] : waitOperations(options, pid)),
  ];
}

function waitOperations(options: MonitorOptions, pid: ReturnType<typeof result>): Operation[] {
  const siginfo = bytes(Buffer.alloc(SIGINFO_SIZE), '<siginfo>');
  return [
    // Also what the caller inherited itself: somebody may wait for the end of such a pipe.
    ...closeAllBut(options.terminal ? [TERMINAL_KEEP_FD, EXIT_FD] : [EXIT_FD]),
    { call: 'munmap', args: [zone('start'), zone('size')], what: 'let go of the memory of the container branch' },
    {
      call: 'prctl',
      args: [value(PR_SET_NAME, 'PR_SET_NAME'), text('berth-monitor'), 0, 0, 0],
      what: 'name the process',
    },
    { call: 'waitid', args: [P_PID, pid, siginfo, WEXITED, 0], what: 'wait for the end' },
    { call: 'pwrite64', args: [exitFd, siginfo, SIGINFO_SIZE, STATUS_OFFSET], what: 'write how it ended' },
    exitGroup(0),
  ];
}

/** For the `fail` block: leave the failure in the exit file too, where it is found when no agent listens. */
export function recordFailure(): Operation {
  return {
    call: 'pwrite64',
    args: [exitFd, FAILURE, FAILURE_SIZE, FAILURE_OFFSET],
    what: 'write the failure to the exit file',
    onError: NEXT,
  };
}

function openExitFile(path: string): Operation[] {
  const fd = result('exit file');
  return [
    { call: 'openat', args: [atCwd, text(path), O_WRONLY_CREAT_CLOEXEC, octal(0o600)], save: fd, what: `open ${path}` },
    { call: 'dup3', args: [fd, exitFd, O_CLOEXEC], what: 'give the exit file its number' },
    { call: 'flock', args: [exitFd, LOCK_EX_NB], what: 'lock the exit file for as long as the monitor lives' },
  ];
}

const CGROUP_FD = result('cgroup');

function openCgroup(directory: string | undefined): Operation[] {
  if (directory === undefined) return [];
  return [
    {
      call: 'openat',
      args: [atCwd, text(directory), O_PATH_CLOEXEC, 0],
      save: CGROUP_FD,
      what: `open the cgroup ${directory}`,
    },
  ];
}

/** clone3(2): struct clone_args is flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup. */
function cloneOperation(options: MonitorOptions, parentTid: Argument, pid: ReturnType<typeof result>): Operation {
  const intoCgroup = options.cgroupDirectory !== undefined;
  const sibling = options.parent === 'caller';
  const own = options.cloneFlags | (sibling ? CLONE_FLAGS.CLONE_PARENT : 0);
  const flags = BigInt(own | CLONE_FLAGS.CLONE_PARENT_SETTID) | (intoCgroup ? CLONE_INTO_CGROUP : 0n);
  const shown = formatFlags(own, CLONE_FLAGS) + (intoCgroup ? '|CLONE_INTO_CGROUP' : '');
  const cgroup = intoCgroup ? CGROUP_FD : 0;
  // With CLONE_PARENT the signal is the one of the process that clones: SIGCHLD too.
  const signal = sibling ? 0 : SIGCHLD;
  const args = words([flags, 0, 0, parentTid, signal, 0, 0, 0, 0, 0, cgroup], `{${shown}}`);
  return {
    call: 'clone3',
    args: [args, SIZEOF_CLONE_ARGS],
    ...(sibling ? {} : { save: pid }),
    what: 'make the first process of the container in its namespaces',
    onZero: 'container',
  };
}
