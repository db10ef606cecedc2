// A process in a container that runs already: join its namespaces by pidfd, clone, give up privileges, exec. A tape as well,
// so nothing of the agent's memory is ever inside (SEC-1), and the agent's threads join nothing.
import { CLONE_FLAGS, CLONE_INTO_CGROUP, SIGCHLD } from '../../linux/namespace-flags.ts';
import { PR_SET_DUMPABLE } from '../../linux/prctl.ts';
import { SIGINFO_SIZE } from '../../linux/siginfo.ts';
import { exitGroup, failBlock, statusFd } from '../../linux/tape/blocks.ts';
import {
  bits,
  bytes,
  inside,
  result,
  text,
  value,
  words,
  type Operation,
  type Tape,
} from '../../linux/tape/operation.ts';
import { STATUS_FD } from '../../linux/tape/spawn.ts';
import { closeAllBut, closeAtExec } from './close-operations.ts';
import type { Linux, NamespaceType, Process } from './config.ts';
import { labelOperations, type LabelModules } from './label-operations.ts';
import { atCwd } from './path-operations.ts';
import {
  execOperations,
  filterOperations,
  identityOperations,
  oomOperations,
  type ProcessFacts,
} from './process-operations.ts';
import type { Launch } from './launch.ts';
import { failAsideBlocks, failingAside, parkedNumbers, preserveOperations } from './preserve-operations.ts';
import { affinityOperation, executionOperations } from './scheduling-operations.ts';
import { enterSharedRoot } from './shared-root-operations.ts';
import { listenerPipe } from './seccomp-operations.ts';
import { terminalOperations } from './terminal-operations.ts';
import { becomeRoot } from './user-root-operations.ts';

/** Where the tape finds the pidfd of the container's first process. */
export const PIDFD = 4;

export type ExecTapeOptions = {
  readonly process: Process;
  /** cgroup v1: the `tasks` files to join. */
  readonly cgroupTasks: readonly string[];
  /** cgroup v2: the directory to be born in. */
  readonly cgroupDirectory: string | undefined;
  /** Default: the tape's own process is the parent, and waits. */
  readonly launch?: Launch | undefined;
  readonly facts: ProcessFacts;
  /** Of the container. */
  readonly linux: Linux;
  readonly labels: LabelModules;
  /** The container has no mount namespace of its own: `ROOT_FD` is where its root is. */
  readonly sharedRoot?: boolean;
};

const SIZEOF_CLONE_ARGS = 88;
const RECORD_SIZE = 16;
const O_WRONLY_CLOEXEC = value(0o2000001, 'O_WRONLY|O_CLOEXEC');
const O_PATH_CLOEXEC = value(0o12000000, 'O_PATH|O_CLOEXEC');
const P_PID = value(1, 'P_PID');
const WEXITED = value(4, 'WEXITED');

const { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWCGROUP } = CLONE_FLAGS;
const { CLONE_NEWUSER, CLONE_NEWTIME } = CLONE_FLAGS;
const JOINED = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;

/** The tape of one exec. It writes {0, pid}, then the siginfo_t of the end, to its status pipe. Pure. */
export function execTape(options: ExecTapeOptions): Tape {
  return {
    name: 'exec',
    blocks: [
      { label: 'monitor', zone: 'parent', operations: monitorOperations(options) },
      failBlock('parent'),
      { label: 'container', zone: 'child', operations: processOperations(options) },
      ...failAsideBlocks(options.launch?.preservedFds, { exitFile: false }),
    ],
  };
}

function monitorOperations(options: ExecTapeOptions): Operation[] {
  const { process, cgroupTasks, cgroupDirectory, launch } = options;
  const record = bytes(Buffer.alloc(RECORD_SIZE), '<started>');
  const pid = result('pid');
  const sibling = launch?.parent === 'caller';
  const cgroup = result('cgroup');
  const opened: Operation[] = cgroupDirectory === undefined ? [] : [openAs(cgroupDirectory, O_PATH_CLOEXEC, 'cgroup')];
  const flags = CLONE_INTO_CGROUP * BigInt(opened.length) + BigInt(parentFlags(sibling));
  const args = words(
    [flags, 0, 0, inside(record, 8), sibling ? 0 : SIGCHLD, 0, 0, 0, 0, 0, opened.length === 0 ? 0 : cgroup],
    sibling ? '{CLONE_PARENT}' : '{SIGCHLD}',
  );
  return [
    {
      call: 'prctl',
      args: [value(PR_SET_DUMPABLE, 'PR_SET_DUMPABLE'), 0, 0, 0, 0],
      what: 'be opaque to the container',
    },
    // Labels and scores are inherited, and this is the host's /proc still.
    ...labelOperations(process, options.labels),
    ...oomOperations(process),
    ...affinityOperations('initial', process),
    ...cgroupTasks.map((path) => openAs(path, O_WRONLY_CLOEXEC, path)),
    ...opened,
    join(JOINED | (has(options.linux, 'time') ? CLONE_NEWTIME : 0), 'join the namespaces of the container'),
    {
      call: 'clone3',
      args: [args, SIZEOF_CLONE_ARGS],
      ...(sibling ? {} : { save: pid }),
      what: 'make the process',
      onZero: 'container',
    },
    { call: 'write', args: [statusFd, record, RECORD_SIZE], what: 'report the pid' },
    ...(sibling ? [] : waitOperations(pid)),
    exitGroup(0),
  ];
}

function parentFlags(sibling: boolean): number {
  return CLONE_FLAGS.CLONE_PARENT_SETTID | (sibling ? CLONE_FLAGS.CLONE_PARENT : 0);
}

function waitOperations(pid: ReturnType<typeof result>): Operation[] {
  const siginfo = bytes(Buffer.alloc(SIGINFO_SIZE), '<siginfo>');
  return [
    ...closeAllBut([STATUS_FD]),
    { call: 'waitid', args: [P_PID, pid, siginfo, WEXITED, 0], what: 'wait for the end' },
    { call: 'write', args: [statusFd, siginfo, SIGINFO_SIZE], what: 'report how it ended' },
  ];
}

function has({ namespaces = [] }: Linux, wanted: NamespaceType): boolean {
  return namespaces.some(({ type }) => type === wanted);
}

function affinityOperations(when: 'initial' | 'final', { execCPUAffinity }: Process): Operation[] {
  const list = execCPUAffinity?.[when];
  return list === undefined || list === '' ? [] : [affinityOperation(list, `process.execCPUAffinity.${when}`)];
}

function join(namespaces: number, what: string): Operation {
  return { call: 'setns', args: [value(PIDFD, 'container'), bits(namespaces, CLONE_FLAGS)], what };
}

function openAs(path: string, flags: ReturnType<typeof value>, name: string): Operation {
  return { call: 'openat', args: [atCwd, text(path), flags, 0], save: result(name), what: `open ${path}` };
}

function processOperations(options: ExecTapeOptions): readonly Operation[] {
  const { process, cgroupTasks, facts, launch, linux } = options;
  const preserved = launch?.preservedFds;
  const operations = [
    ...cgroupTasks.map((path): Operation => ({
      call: 'write',
      args: [result(path), text('0'), 1],
      what: `join ${path}`,
    })),
    // Last, by a member of the cgroup: where cgroup2 is mounted with `nsdelegate`, nobody enters a namespace's cgroups from outside.
    join(CLONE_NEWCGROUP, 'join the cgroup namespace of the container'),
    ...affinityOperations('final', process),
    // When all others are joined: some of them may be the machine's, and only its root can join those.
    ...(has(linux, 'user') ? [join(CLONE_NEWUSER, 'enter the user namespace of the container'), ...becomeRoot()] : []),
    ...(options.sharedRoot === true ? enterSharedRoot() : []),
    { call: 'setsid', args: [], what: 'lead a session of its own' },
    ...(process.terminal === true ? terminalOperations(process) : []),
    ...closeAllBut([0, 1, 2, STATUS_FD, ...listenerPipe(facts), ...parkedNumbers(preserved)]),
    closeAtExec(),
    ...executionOperations(linux),
    ...identityOperations(process, facts),
    ...preserveOperations(preserved, { exitFile: false }),
    ...filterOperations(process, facts),
    ...execOperations(process),
  ];
  return failingAside(operations, preserved);
}
