// The seccomp filter in a tape: loaded last, right before execve(2), so that it filters the program and not the tape.
//
// With SCMP_ACT_NOTIFY the kernel answers with a descriptor that calls are asked about at. It must get out before the program
// runs, and with one call only, as every call of the tape is filtered now: a write(2) of more than a pipe holds. Whoever
// reads the number at its start copies the descriptor by pidfd_getfd(2), and by reading the rest lets the tape go on.
import { SECCOMP_SET_MODE_FILTER } from '../../linux/seccomp/profile.ts';
import { bytes, result, value, words, type Operation } from '../../linux/tape/operation.ts';

/** The write end of the pipe. Above what `preserveFds` and the reaping first process use. */
export const LISTENER_PIPE_FD = 254;
/** In bytes. More than the least capacity of a pipe, which is one page: 64 KiB at most. */
export const LISTENER_WRITE_SIZE: number = 2 * 65536;
const WORD = 8;
const SIZEOF_SOCK_FILTER = 8;

/** What is loaded. */
export type SeccompFacts = {
  /** The compiled filter, or undefined for none. */
  readonly seccompFilter: Buffer | undefined;
  readonly seccompFlags: number;
  readonly seccompFlagNames?: readonly string[];
  /** Somebody is asked about some calls. */
  readonly seccompListener?: boolean;
};

/** The descriptor that must stay open until the filter is loaded. */
export function listenerPipe({ seccompListener }: SeccompFacts): readonly number[] {
  return seccompListener === true ? [LISTENER_PIPE_FD] : [];
}

/** seccomp(2) with a struct sock_fprog that points at the filter, and the handing out of its listener. */
export function seccompOperations(facts: SeccompFacts): Operation[] {
  const { seccompFilter: filter, seccompFlags: flags, seccompFlagNames: names = [] } = facts;
  if (filter === undefined) return [];
  const length = filter.length / SIZEOF_SOCK_FILTER;
  const program = words([length, bytes(filter, `[${length} instructions]`)], `{${length} instructions}`);
  const withFlags = names.length === 0 ? '' : ` with ${names.join(', ')}`;
  const load: Operation = {
    call: 'seccomp',
    args: [value(SECCOMP_SET_MODE_FILTER, 'SECCOMP_SET_MODE_FILTER'), flags, program],
    what: `load the seccomp filter of ${length} instructions${withFlags}`,
  };
  return facts.seccompListener === true ? handOut(load) : [load];
}

function handOut(load: Operation): Operation[] {
  const fd = result('listener');
  const rest = Array.from({ length: LISTENER_WRITE_SIZE / WORD - 1 }, () => 0);
  return [
    { ...load, save: fd },
    {
      call: 'write',
      args: [value(LISTENER_PIPE_FD, 'listener pipe'), words([fd, ...rest], '{<listener>}'), LISTENER_WRITE_SIZE],
      what: 'hand out the seccomp listener (the profile must allow write)',
    },
  ];
}
