// socketpair(2), unix(7).
import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { SOCK_CLOEXEC } from './socket.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;

type CSocketpair = (domain: number, type: number, protocol: number, sv: Int32Array) => number;
const c_socketpair: CSocketpair = libc.func('int socketpair(int domain, int type, int protocol, _Out_ int *sv)');

/** Two connected sockets that keep messages apart and close on exec. */
export function socketpair(): readonly [Fd, Fd] {
  const fds = new Int32Array(2);
  check(c_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 'socketpair', () => 'AF_UNIX, SOCK_SEQPACKET');
  const [one = -1, other = -1] = fds;
  return [new Fd(one), new Fd(other)];
}
