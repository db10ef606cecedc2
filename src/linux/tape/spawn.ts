// posix_spawn(3) of a tape: the agent makes no raw clone and has no executable page of its own.
import { check, SyscallError } from '../errno.ts';
import { libc } from '../libc.ts';
import { sealedExecutable } from '../memfd.ts';
import { elfExecutable } from './elf.ts';
import { hostArchitecture } from './machine-code.ts';
import type { AssembledTape } from './assemble.ts';

const POSIX_SPAWN_SETSIGDEF = 0x4;
const POSIX_SPAWN_SETSIGMASK = 0x8;
const POSIX_SPAWN_SETSID = 0x80;
const SIGSET_SIZE = 128;
// Larger than the structures of any libc: 336 and 80 bytes in glibc 2.36.
const OPAQUE_SIZE = 1024;

type Answer = (error: Error | null, errno: number) => void;
type CInit = (object: Buffer) => number;
type CSpawn = (
  pid: Int32Array,
  path: string,
  actions: Buffer,
  attributes: Buffer,
  argv: readonly (string | null)[],
  envp: readonly (string | null)[],
) => number;
const c_spawn: CSpawn & { async: (...args: [...Parameters<CSpawn>, Answer]) => void } = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *file_actions, void *attrp, const char **argv, const char **envp)',
);
const c_actions_init: CInit = libc.func('int posix_spawn_file_actions_init(void *file_actions)');
const c_actions_destroy: CInit = libc.func('int posix_spawn_file_actions_destroy(void *file_actions)');
type CDup2 = (actions: Buffer, fd: number, newfd: number) => number;
const c_actions_dup2: CDup2 = libc.func(
  'int posix_spawn_file_actions_adddup2(void *file_actions, int fildes, int newfildes)',
);
const c_attr_init: CInit = libc.func('int posix_spawnattr_init(void *attr)');
type CSetFlags = (attributes: Buffer, flags: number) => number;
const c_attr_setflags: CSetFlags = libc.func('int posix_spawnattr_setflags(void *attr, short flags)');
type CSetSignals = (attributes: Buffer, set: Buffer) => number;
const c_attr_setsigdefault: CSetSignals = libc.func('int posix_spawnattr_setsigdefault(void *attr, void *sigdefault)');
const c_attr_setsigmask: CSetSignals = libc.func('int posix_spawnattr_setsigmask(void *attr, void *sigmask)');

/** Where a tape finds its status pipe. */
export const STATUS_FD = 3;

export type SpawnOptions = {
  /** The write end of the status pipe; becomes STATUS_FD. */
  readonly status: number;
  /** Descriptors to become others in the tape: [ours, theirs]. 0, 1 and 2 are inherited only where they are named. */
  readonly fds?: readonly (readonly [from: number, to: number])[];
  /** Shown by ps: the arguments of the tape's process. */
  readonly argv: readonly string[];
};

/**
 * Start a tape as a process in a session of its own, with default signal dispositions, an empty signal mask and no
 * environment. Returns its pid: the caller reaps it. Blocks for the time of one vfork and exec (about 0.3 ms).
 */
export function spawnTape(tape: AssembledTape, options: SpawnOptions): number {
  using call = prepare(tape, options);
  succeed(c_spawn(...call.args), 'posix_spawn');
  return call.pid();
}

/** As `spawnTape`, from a thread of Node's pool: the process begins with that thread's capabilities, not the main one's. */
export async function spawnTapeFromPool(tape: AssembledTape, options: SpawnOptions): Promise<number> {
  using call = prepare(tape, options);
  const errno = await new Promise<number>((resolve, reject) => {
    c_spawn.async(...call.args, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
  succeed(errno, 'posix_spawn');
  return call.pid();
}

type SpawnCall = Disposable & { readonly args: Parameters<CSpawn>; readonly pid: () => number };

function prepare(tape: AssembledTape, { argv, fds = [], status }: SpawnOptions): SpawnCall {
  const name = argv[0] ?? 'tape';
  using open = new DisposableStack();
  const executable = open.use(sealedExecutable(name, elfExecutable(hostArchitecture(), tape.data)));
  const actions = Buffer.alloc(OPAQUE_SIZE);
  succeed(c_actions_init(actions), 'posix_spawn_file_actions_init');
  open.defer(() => c_actions_destroy(actions));
  for (const [from, to] of [...fds, [status, STATUS_FD] as const]) {
    succeed(c_actions_dup2(actions, from, to), 'posix_spawn_file_actions_adddup2');
  }
  const pid = new Int32Array(1);
  const owned = open.move();
  return {
    args: [pid, `/proc/self/fd/${executable.number}`, actions, attributes(), [...argv, null], [null]],
    pid: () => check(pid[0] ?? -1, 'posix_spawn', () => name),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function attributes(): Buffer {
  const attr = Buffer.alloc(OPAQUE_SIZE);
  succeed(c_attr_init(attr), 'posix_spawnattr_init');
  succeed(c_attr_setsigdefault(attr, Buffer.alloc(SIGSET_SIZE, 0xff)), 'posix_spawnattr_setsigdefault');
  succeed(c_attr_setsigmask(attr, Buffer.alloc(SIGSET_SIZE)), 'posix_spawnattr_setsigmask');
  succeed(
    c_attr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID),
    'posix_spawnattr_setflags',
  );
  return attr;
}

/** These functions return the error number instead of setting errno. */
function succeed(errno: number, call: string): void {
  if (errno !== 0) throw new SyscallError(call, errno, '');
}
