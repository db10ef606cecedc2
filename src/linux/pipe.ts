// pipe2(2).
import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

type CPipe2 = (fds: Int32Array, flags: number) => number;
const c_pipe2: CPipe2 = libc.func('int pipe2(_Out_ int *pipefd, int flags)');

/** A pipe whose both ends close on exec and do not block. */
export function pipe(): { readonly read: Fd; readonly write: Fd } {
  const fds = new Int32Array(2);
  check(c_pipe2(fds, O_CLOEXEC | O_NONBLOCK), 'pipe2', () => 'O_CLOEXEC|O_NONBLOCK');
  const [read = -1, write = -1] = fds;
  return { read: new Fd(read), write: new Fd(write) };
}
