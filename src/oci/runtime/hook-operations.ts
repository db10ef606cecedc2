// Where a container's tape stops for its hooks: everything is mounted and the host is still in view, as runc has it. The hooks
// themselves are run by whoever runs the tape, which says with one byte that they are done; see hooks.ts.
//
//   pivot_root into the container ─▶ mounts ─▶ pivot_root back ─▶ {0, -1} ─▶ wait ─▶ pivot_root for good
import { exitGroup, statusFd } from '../../linux/tape/blocks.ts';
import { bytes, result, text, value, type Block, type Operation } from '../../linux/tape/operation.ts';
import { FAILED_EXIT_CODE } from '../../linux/tape/run.ts';
import { WAITING } from '../../linux/tape/failure.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../linux/at.ts';
import type { HookName, RuntimeConfig } from './config.ts';
import { atCwd } from './path-operations.ts';

/** Hooks that run between create and its end, before the last pivot_root. */
export const HOOKS_OF_CREATE = ['prestart', 'createRuntime', 'createContainer'] as const satisfies readonly HookName[];

/** Whether the tape has to stop for hooks. */
export function stopsForHooks({ hooks = {}, linux }: RuntimeConfig): boolean {
  if (Object.keys(linux?.netDevices ?? {}).length > 0) return true; // they are moved then: see net-devices.ts
  return HOOKS_OF_CREATE.some((name) => (hooks[name] ?? []).length > 0);
}

/** Whether start has to stop before the program, or has to go on after it. */
export function hasStartHooks({ hooks = {} }: RuntimeConfig): boolean {
  return (hooks.startContainer ?? []).length > 0 || (hooks.poststart ?? []).length > 0;
}

/** The block to go to when there is nobody to wait for. */
export const REFUSED = 'refused';

/** Where the tape finds the pipe that says that the hooks are done. */
export const HOOKS_DONE_FD = 9;

// Above all that has been opened when they are given out (see FIFO_FD).
const HOST_ROOT_FD = value(61, 'host root');
const CONTAINER_ROOT_FD = value(60, 'container root');
const DIRECTORY = value(O_PATH | O_DIRECTORY | O_CLOEXEC, 'O_PATH|O_DIRECTORY|O_CLOEXEC');
const CLOEXEC = value(O_CLOEXEC, 'O_CLOEXEC');
const RECORD_SIZE = 16;

/** Enter the root that is attached at `attachPoint`, with a way back. */
export function enterForNow(attachPoint: string): Operation[] {
  return [
    ...keepHostRoot(),
    { call: 'chdir', args: [text(attachPoint)], what: 'enter the new root' },
    { call: 'pivot_root', args: [text('.'), text('.')], what: 'make it the root, for now' },
  ];
}

/** Back to the host's root, with the container's at `attachPoint`; then wait. Afterwards the tape stands in the container's. */
export function leaveForHooks(attachPoint: string): Operation[] {
  const waiting = Buffer.alloc(RECORD_SIZE);
  waiting.writeBigInt64LE(BigInt(WAITING), 8);
  return [
    ...keep('/', CONTAINER_ROOT_FD, 'the root of the container'),
    { call: 'fchdir', args: [HOST_ROOT_FD], what: "stand in the host's root" },
    { call: 'pivot_root', args: [text('.'), text(attachPoint.slice(1))], what: 'make that the root again' },
    { call: 'write', args: [statusFd, bytes(waiting, '<waiting>'), RECORD_SIZE], what: 'report that hooks can run' },
    {
      call: 'read',
      args: [value(HOOKS_DONE_FD, 'hooks done'), bytes(Buffer.alloc(8), '<byte>'), 1],
      what: 'wait for the hooks',
      onZero: REFUSED,
    },
    { call: 'fchdir', args: [CONTAINER_ROOT_FD], what: 'enter the new root' },
  ];
}

/** The same of a container without mounts of its own: pivot_root(2) would change the root of others. */
export function leaveSharedForHooks(): Operation[] {
  const [keepRoot, number, stand, , ...wait] = leaveForHooks('/');
  const back: Operation = { call: 'chroot', args: [text('.')], what: 'make that the root again' };
  return [keepRoot, number, stand, back, ...wait].filter((operation) => operation !== undefined);
}

/** The way back that `leaveSharedForHooks` takes. */
export function keepHostRoot(): Operation[] {
  return keep('/', HOST_ROOT_FD, "the host's root");
}

/** Whoever runs the hooks has given up. */
export function refusedBlock(): Block {
  return { label: REFUSED, zone: 'child', operations: [exitGroup(FAILED_EXIT_CODE)] };
}

function keep(path: string, number: typeof HOST_ROOT_FD, what: string): Operation[] {
  const opened = result(what);
  return [
    { call: 'openat', args: [atCwd, text(path), DIRECTORY, 0], save: opened, what: `open ${what}` },
    { call: 'dup3', args: [opened, number, CLOEXEC], what: `give ${what} its number` },
  ];
}
