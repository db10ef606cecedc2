// The default init: a first process that starts the program as its child, forwards signals to it, reaps whatever is orphaned, and
// ends as the program ends. Without it the program is process 1 itself: signals that it does not handle are lost on it, and
// orphans stay zombies (pid_namespaces(7)). It is the tape that has set up the container, with the program's own identity.
//
//   container ─▶ init: clone ──0─▶ program: execve
//                  ▼
//            ┌▶ wait: a signal is there ─▶ forward: each but SIGCHLD ─▶ reap: each child that has ended ─▶ is the program gone?
//            └───────────────────────────────────────────────────────────────── no ◀─┘            yes ─▶ end
//
// A tape cannot calculate. An eventfd adds what is written to it, and reading it when it is 0 is an error (eventfd(2)): so the
// exit code comes about, which is that of the program, or 128 and the signal that killed it, as in a shell.
import { CLONE_FLAGS, SIGCHLD } from '../../linux/namespace-flags.ts';
import { PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, PR_SET_NAME } from '../../linux/prctl.ts';
import { NEXT } from '../../linux/tape/assemble.ts';
import { exitGroup } from '../../linux/tape/blocks.ts';
import {
  bytes,
  inside,
  result,
  slot,
  text,
  value,
  zone,
  type Block,
  type Bytes,
  type Operation,
  type Text,
} from '../../linux/tape/operation.ts';
import { closeAllBut } from './close-operations.ts';

const INIT = 'init';
const PROGRAM = 'program';
const WAIT = 'init-wait';
const FORWARD = 'init-forward';
const REAP = 'init-reap';
const REAP_NEXT = 'init-reap-next';
const END = 'init-end';
const EXIT = 'init-exit';
const LOST = 'init-lost';
/** Beside those that are moved aside for preserved descriptors, see preserve-operations.ts. */
const SIGNAL_FD = 252;
const SUM_FD = 253;
const signals = value(SIGNAL_FD, 'signals');
const sum = value(SUM_FD, 'sum');
const O_CLOEXEC = value(0o2000000, 'O_CLOEXEC');
const CLOEXEC_NONBLOCK = value(0o2004000, 'EFD_CLOEXEC|EFD_NONBLOCK');
const SIG_SETMASK = value(2, 'SIG_SETMASK');
const WNOHANG = value(1, 'WNOHANG');
const LOOK = value(0x0100_0005, 'WNOHANG|WEXITED|WNOWAIT');
const P_PID = value(1, 'P_PID');
const TIOCSPGRP = value(0x5410, 'TIOCSPGRP');
const CLONE_CHILD_SETTID = 0x0100_0000;
const POLLIN = 1;
const SIGSET_SIZE = 8;
const WORD = 8;
const LOST_CODE = 255;

const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;
const CHILD_SIGNAL = 1n << BigInt(SIGCHLD - 1);

/** The last operations before the program's execve(2): from here on there are two processes. */
export function startInit(): Operation[] {
  const [poll, add] = [result('signalfd'), result('eventfd')];
  const all = word(ALL_SIGNALS, '[all]');
  return [
    {
      call: 'rt_sigprocmask',
      args: [SIG_SETMASK, all, 0, SIGSET_SIZE],
      what: 'keep signals until they are asked for',
    },
    { call: 'signalfd4', args: [-1, all, SIGSET_SIZE, O_CLOEXEC], save: poll, what: 'make a descriptor of them' },
    { call: 'dup3', args: [poll, signals, O_CLOEXEC], what: 'give it its number' },
    { call: 'eventfd2', args: [0, CLOEXEC_NONBLOCK], save: add, what: 'make an eventfd' },
    { call: 'dup3', args: [add, sum, O_CLOEXEC], what: 'give it its number' },
    { call: 'sched_yield', args: [], what: 'go on as init', onZero: INIT },
  ];
}

/** The blocks of a tape in which `startInit` stands: what follows it runs in a child. Others are returned as they are. */
export function initBlocks(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block): readonly Block[] => {
    const last = block.operations.findIndex(({ onZero }) => onZero === INIT);
    if (last === -1) return [block];
    const pid = bytes(Buffer.alloc(WORD), '<pid>');
    const [before, after] = [block.operations.slice(0, last + 1), block.operations.slice(last + 1)];
    return [
      { ...block, operations: before },
      { label: PROGRAM, zone: 'child', operations: [...programStart(pid), ...after] },
      ...loopBlocks(pid),
    ];
  });
}

/** At the top of a process group of its own, which is in the foreground where there is a terminal. */
function programStart(pid: Bytes): Operation[] {
  return [
    { call: 'setpgid', args: [0, 0], what: 'lead a process group', onError: NEXT },
    { call: 'ioctl', args: [0, TIOCSPGRP, pid], what: 'be in the foreground of the terminal', onError: NEXT },
    { call: 'rt_sigprocmask', args: [SIG_SETMASK, word(0n, '[]'), 0, SIGSET_SIZE], what: 'let signals through again' },
  ];
}

/** They stay in memory when the rest of the tape is let go of. */
function loopBlocks(pid: Bytes): Block[] {
  const status = bytes(Buffer.alloc(2 * WORD), '<status>');
  return Object.entries({
    [INIT]: becomeInit(pid),
    [WAIT]: [pollSignals()],
    [FORWARD]: forwardSignals(),
    [REAP]: [takeSignals(CHILD_SIGNAL, '[SIGCHLD]', NEXT)],
    [REAP_NEXT]: reapOne(status),
    [END]: sumUp(status),
    [EXIT]: exitAsProgram(status),
    [LOST]: [exitGroup(LOST_CODE)],
  }).map(([label, operations]) => ({ label, zone: 'parent', operations }));
}

function becomeInit(pid: Bytes): Operation[] {
  const flags = CLONE_FLAGS.CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD;
  const shown = 'CLONE_PARENT_SETTID|CLONE_CHILD_SETTID|SIGCHLD';
  return [
    {
      call: 'clone', // its last two arguments change places from one architecture to the other
      args: [value(flags, shown), 0, slot('watched'), pid, pid],
      save: result('program'),
      what: 'make the process of the program',
      onZero: PROGRAM,
    },
    ...closeAllBut([0, 1, 2, SIGNAL_FD, SUM_FD]).map((operation) => ({ ...operation, onError: NEXT })),
    { call: 'munmap', args: [zone('start'), zone('size')], what: 'let go of the memory of the rest', onError: NEXT },
    option(PR_SET_NAME, 'PR_SET_NAME', text('berth-init'), 'name the process'),
    option(PR_SET_CHILD_SUBREAPER, 'PR_SET_CHILD_SUBREAPER', 1, 'reap orphans where it is not process 1 too'),
    // Else /proc/1/fd, where images write their logs, is closed to a program that is not root.
    option(PR_SET_DUMPABLE, 'PR_SET_DUMPABLE', 1, 'be as open to the program as one that execve(2) has started'),
  ];
}

function option(number: number, name: string, argument: number | Text, what: string): Operation {
  return { call: 'prctl', args: [value(number, name), argument, 0, 0, 0], what, onError: NEXT };
}

function pollSignals(): Operation {
  const poll = Buffer.alloc(WORD);
  poll.writeInt32LE(SIGNAL_FD, 0);
  poll.writeInt16LE(POLLIN, 4);
  return {
    call: 'ppoll',
    args: [bytes(poll, '[{signals, POLLIN}]'), 1, 0, 0, 0],
    what: 'wait for a signal',
    onError: LOST,
  };
}

/** Of those of `set` that are there, take one. */
function takeSignals(set: bigint, shown: string, onError: string): Operation {
  return {
    call: 'rt_sigtimedwait',
    args: [word(set, shown), 0, bytes(Buffer.alloc(2 * WORD), '{0, 0}'), SIGSET_SIZE],
    what: 'take a signal that is there',
    onError,
  };
}

function forwardSignals(): Operation[] {
  const signal = result('signal');
  return [
    { ...takeSignals(ALL_SIGNALS & ~CHILD_SIGNAL, '[all but SIGCHLD]', REAP), save: signal },
    {
      call: 'kill',
      args: [result('program'), signal],
      what: 'forward it to the program',
      onZero: FORWARD,
      onError: FORWARD,
    },
  ];
}

/** The status is four bytes, stored so that the first one, how it was killed, is the last of one word, and the next of another. */
function reapOne(status: Bytes): Operation[] {
  return [
    {
      call: 'wait4',
      args: [-1, inside(status, WORD - 1), WNOHANG, 0],
      what: 'reap a child that has ended',
      onZero: WAIT,
      onError: LOST,
    },
    {
      call: 'waitid',
      args: [P_PID, result('watched'), 0, LOOK, 0],
      what: 'look whether the program is still a child',
      onZero: REAP_NEXT,
      onError: END,
    },
  ];
}

/** The status that was stored last is the program's. Killed: its signal with bit 7, which a core dump has set already. */
function sumUp(status: Bytes): Operation[] {
  const scratch = bytes(Buffer.alloc(WORD), '<scratch>');
  const killed = 'add how it was killed, shifted by 56 bits';
  return [
    add(status, killed),
    { ...take(scratch, 'look whether it was killed at all'), onError: EXIT },
    add(status, killed),
    add(word(0x80n << 56n, '128 << 56'), 'add 128, if there is room: without a core dump'),
    take(inside(status, 1), 'take the sum, down by 56 bits, for the exit code'),
  ];
}

function exitAsProgram(status: Bytes): Operation[] {
  return [
    add(inside(status, WORD), 'add the exit code'),
    take(slot('code'), 'take it as an argument'),
    { ...exitGroup(0), args: [result('code')], what: 'exit with it' },
  ];
}

function add(what: Bytes | ReturnType<typeof inside>, description: string): Operation {
  return { call: 'write', args: [sum, what, WORD], what: description, onError: NEXT };
}

function take(to: Operation['args'][number], description: string): Operation {
  return { call: 'read', args: [sum, to, WORD], what: description, onError: NEXT };
}

function word(number: bigint, shown: string): Bytes {
  const buffer = Buffer.alloc(WORD);
  buffer.writeBigUInt64LE(number);
  return bytes(buffer, shown);
}
