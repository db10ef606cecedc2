// sendmsg(2) with SCM_RIGHTS: give a descriptor to the process at the other end of a unix socket.
import { check } from './errno.ts';
import { libc } from './libc.ts';
import { msghdr, rightsControl } from './msghdr.ts';

const MSG_NOSIGNAL = 0x4000;

type CSendmsg = (sockfd: number, header: Buffer, flags: number) => number;
const c_sendmsg: CSendmsg = libc.func('intptr_t sendmsg(int sockfd, const void *msg, int flags)');

/** Send `fd` with the bytes of `data`, of which there is at least one. The sender keeps its own descriptor. */
export function sendFd(socket: number, fd: number, data: string): void {
  const bytes = Buffer.from(data);
  const control = rightsControl(fd);
  check(c_sendmsg(socket, msghdr(bytes, control), MSG_NOSIGNAL), 'sendmsg', () => `${socket}, SCM_RIGHTS ${fd}`);
}
