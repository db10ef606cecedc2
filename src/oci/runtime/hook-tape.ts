// A hook in the container's namespaces, as a tape: join them by pidfd, clone, execute. Its path is looked up in whatever the
// container's mount namespace has for a root at that time.
import { CLONE_FLAGS, SIGCHLD } from '../../linux/namespace-flags.ts';
import { PR_SET_DUMPABLE } from '../../linux/prctl.ts';
import { SIGINFO_SIZE } from '../../linux/siginfo.ts';
import { exitGroup, failBlock, statusFd } from '../../linux/tape/blocks.ts';
import {
  bits,
  bytes,
  inside,
  result,
  stringVector,
  text,
  value,
  words,
  type Operation,
  type Tape,
} from '../../linux/tape/operation.ts';
import { STATUS_FD } from '../../linux/tape/spawn.ts';
import { closeAllBut, closeAtExec } from './close-operations.ts';
import type { Hook } from './config.ts';
import { atCwd } from './path-operations.ts';
import { enterSharedRoot } from './shared-root-operations.ts';
import { becomeRoot } from './user-root-operations.ts';

/** Where the tape finds the pidfd of the container's first process. */
export const HOOK_PIDFD = 4;

export type HookTapeOptions = {
  readonly hook: Hook;
  readonly cwd: string;
  /** `cgroup.procs` of the container, or the `tasks` file of each hierarchy. */
  readonly cgroupFiles: readonly string[];
  /** Whether the container is in a user namespace of its own. */
  readonly user: boolean;
  /** Whom the hook is run as: none for the root of the container, with all privileges. */
  readonly identity: readonly Operation[];
  /** The container has no mount namespace of its own: `ROOT_FD` is where its root is. */
  readonly sharedRoot?: boolean;
};

const SIZEOF_CLONE_ARGS = 88;
const RECORD_SIZE = 16;
const O_WRONLY_CLOEXEC = value(0o2000001, 'O_WRONLY|O_CLOEXEC');
const P_PID = value(1, 'P_PID');
const WEXITED = value(4, 'WEXITED');

const { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWCGROUP } = CLONE_FLAGS;
const JOINED = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;

/** It writes {0, pid}, then the siginfo_t of the end, to its status pipe. Pure. */
export function hookTape(options: HookTapeOptions): Tape {
  return {
    name: 'hook',
    blocks: [
      { label: 'monitor', zone: 'parent', operations: monitorOperations(options) },
      failBlock('parent'),
      { label: 'hook', zone: 'child', operations: hookOperations(options) },
    ],
  };
}

function monitorOperations({ cgroupFiles }: HookTapeOptions): Operation[] {
  const record = bytes(Buffer.alloc(RECORD_SIZE), '<started>');
  const siginfo = bytes(Buffer.alloc(SIGINFO_SIZE), '<siginfo>');
  const pid = result('pid');
  const args = words(
    [CLONE_FLAGS.CLONE_PARENT_SETTID, 0, 0, inside(record, 8), SIGCHLD, 0, 0, 0, 0, 0, 0],
    '{SIGCHLD}',
  );
  return [
    {
      call: 'prctl',
      args: [value(PR_SET_DUMPABLE, 'PR_SET_DUMPABLE'), 0, 0, 0, 0],
      what: 'be opaque to the container',
    },
    ...cgroupFiles.flatMap(joinCgroup),
    join(JOINED, 'join the namespaces of the container'),
    {
      call: 'clone3',
      args: [args, SIZEOF_CLONE_ARGS],
      save: pid,
      what: 'make the process of the hook',
      onZero: 'hook',
    },
    { call: 'write', args: [statusFd, record, RECORD_SIZE], what: 'report the pid' },
    ...closeAllBut([STATUS_FD]),
    { call: 'waitid', args: [P_PID, pid, siginfo, WEXITED, 0], what: 'wait for the end' },
    { call: 'write', args: [statusFd, siginfo, SIGINFO_SIZE], what: 'report how it ended' },
    exitGroup(0),
  ];
}

function join(namespaces: number, what: string): Operation {
  return { call: 'setns', args: [value(HOOK_PIDFD, 'container'), bits(namespaces, CLONE_FLAGS)], what };
}

function joinCgroup(path: string): Operation[] {
  const fd = result(path);
  return [
    { call: 'openat', args: [atCwd, text(path), O_WRONLY_CLOEXEC, 0], save: fd, what: `open ${path}` },
    { call: 'write', args: [fd, text('0'), 1], what: `join ${path}` },
  ];
}

function hookOperations({ hook, cwd, user, identity, sharedRoot }: HookTapeOptions): Operation[] {
  const { path, args = [path], env = [] } = hook;
  const envp = { ...stringVector(env), show: `/* ${env.length} variables */` };
  return [
    { call: 'setsid', args: [], what: 'lead a session of its own' },
    // When all others are joined: some of them may be the machine's, and only its root can join those.
    ...(user ? [join(CLONE_FLAGS.CLONE_NEWUSER, 'enter the user namespace of the container'), ...becomeRoot()] : []),
    ...(sharedRoot === true ? enterSharedRoot() : []),
    { call: 'chdir', args: [text(cwd)], what: `change to ${cwd}` },
    closeAtExec(),
    ...identity,
    { call: 'execve', args: [text(path), stringVector(args), envp], what: `run the hook ${path}` },
  ];
}
