// The terminal of a container's process, made by the process itself in the container's own devpts: so that /dev/pts/0 is its
// name inside. The slave is only ever reached through its master, never by a path that the container could have swapped
// (SEC-4, CVE-2025-52565).
//
//   /dev/pts/ptmx ─▶ master ──TIOCGPTPEER──▶ slave ─▶ 0, 1, 2 and the controlling terminal (and /dev/console)
//                      └──SCM_RIGHTS over a socket──▶ whoever asked for the terminal
import { O_CLOEXEC } from '../../linux/at.ts';
import { AT_EMPTY_PATH, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { RIGHTS_LENGTH, RIGHTS_SPACE, SCM_RIGHTS } from '../../linux/msghdr.ts';
import { RESOLVE_NO_SYMLINKS } from '../../linux/openat2.ts';
import { O_NOCTTY, O_RDWR, TIOCGPTPEER, TIOCSCTTY, TIOCSPTLCK, TIOCSWINSZ, windowSizeBytes } from '../../linux/pty.ts';
import { SOL_SOCKET } from '../../linux/socket.ts';
import { bits, bytes, result, text, value, words, type Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Process } from './config.ts';
import { moveMount } from './mount-calls.ts';
import { atCwd, makeFile } from './path-operations.ts';

/** Where the tape finds the socket that the master goes into. */
export const TERMINAL_SOCKET_FD = 5;
/** Where the monitor keeps the other end of it: the message in it keeps the terminal alive. */
export const TERMINAL_KEEP_FD = 6;
const MASTER_FD = 7;

const SIZEOF_OPEN_HOW = 24;
const SAME_GROUP = 0xffffffff;
const MAX_LENGTH = 0xffff;
const OPEN_FLAGS = O_RDWR | O_NOCTTY | O_CLOEXEC;
const OPEN_SHOWN = 'O_RDWR|O_NOCTTY|O_CLOEXEC';
const socketFd = value(TERMINAL_SOCKET_FD, 'terminal socket');
const masterFd = value(MASTER_FD, 'master');

/**
 * Make a terminal of the size that `process` says, make it descriptors 0, 1 and 2 and the controlling terminal, and send its master away. For a session
 * leader, after /dev/pts was mounted, where no result of an earlier operation is waited for any more.
 */
export function terminalOperations({ user, consoleSize }: Process): Operation[] {
  const slave = result('slave');
  const how = words([OPEN_FLAGS, 0, RESOLVE_NO_SYMLINKS], `{${OPEN_SHOWN}, RESOLVE_NO_SYMLINKS}`);
  return [
    ...openMaster(how),
    ioctl(masterFd, value(TIOCSPTLCK, 'TIOCSPTLCK'), bytes(Buffer.alloc(4), '{unlock}'), 'unlock the terminal'),
    ...(consoleSize === undefined ? [] : [resize(consoleSize)]),
    {
      ...ioctl(masterFd, value(TIOCGPTPEER, 'TIOCGPTPEER'), value(OPEN_FLAGS, OPEN_SHOWN), 'open its other side'),
      save: slave,
    },
    { call: 'dup3', args: [slave, 0, 0], what: 'make it standard input' },
    { call: 'dup3', args: [0, 1, 0], what: 'make it standard output' },
    { call: 'dup3', args: [0, 2, 0], what: 'make it standard error' },
    ioctl(0, value(TIOCSCTTY, 'TIOCSCTTY'), 0, 'make it the controlling terminal'),
    ...(user.uid === 0 ? [] : [giveTo(user.uid)]),
    sendMaster(),
  ];
}

/** Bind the terminal on /dev/console (config-linux.md), in a /dev that this tape has mounted. */
export function consoleOperations(): Operation[] {
  const tree = result('console');
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  return [
    ...makeFile('/dev/console'),
    {
      call: 'open_tree',
      args: [0, text(''), bits(flags, { ...OPEN_TREE_FLAGS, AT_EMPTY_PATH })],
      save: tree,
      what: 'take the terminal',
    },
    moveMount(tree, '/dev/console', 'mount the terminal on /dev/console'),
  ];
}

function openMaster(how: ReturnType<typeof words>): Operation[] {
  const opened = result('master');
  return [
    {
      call: 'openat2',
      args: [atCwd, text('/dev/pts/ptmx'), how, SIZEOF_OPEN_HOW],
      save: opened,
      what: 'make a terminal by /dev/pts/ptmx, where config.json must mount a devpts',
    },
    { call: 'dup3', args: [opened, masterFd, value(O_CLOEXEC, 'O_CLOEXEC')], what: 'give the terminal its number' },
  ];
}

function resize({ height, width }: NonNullable<Process['consoleSize']>): Operation {
  if (![height, width].every((length) => Number.isInteger(length) && length >= 0 && length <= MAX_LENGTH)) {
    throw new OciError('CONFIG_INVALID', `process.consoleSize: ${height} × ${width} is not the size of a terminal`);
  }
  const winsize = bytes(windowSizeBytes({ rows: height, columns: width }), `{${height}, ${width}}`);
  return ioctl(
    masterFd,
    value(TIOCSWINSZ, 'TIOCSWINSZ'),
    winsize,
    `set its size to ${height} rows of ${width} characters`,
  );
}

/** Its group stays what the devpts gives, so that write(1) and the like work. */
function giveTo(uid: number): Operation {
  return { call: 'fchown', args: [0, uid, value(SAME_GROUP, '-1')], what: `give the terminal to user ${uid}` };
}

/** sendmsg(2) of one byte and one SCM_RIGHTS, as msghdr.ts lays them out. */
function sendMaster(): Operation {
  const iovec = words([bytes(Buffer.alloc(1), '<byte>'), 1], '');
  const levelAndType = BigInt(SOL_SOCKET) | (BigInt(SCM_RIGHTS) << 32n);
  const control = words([RIGHTS_LENGTH, levelAndType, masterFd], '');
  const header = words([0, 0, iovec, 1, control, RIGHTS_SPACE, 0], '{SCM_RIGHTS master}');
  return { call: 'sendmsg', args: [socketFd, header, 0], what: 'hand the terminal out' };
}

function ioctl(
  fd: Operation['args'][number],
  request: ReturnType<typeof value>,
  argument: Operation['args'][number],
  what: string,
): Operation {
  return { call: 'ioctl', args: [fd, request, argument], what };
}
