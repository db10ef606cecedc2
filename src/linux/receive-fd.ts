// recvmsg(2) with SCM_RIGHTS: take a descriptor from a unix socket.
import { check, isErrno } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { msghdr, receivedFd, RIGHTS_SPACE } from './msghdr.ts';

const MSG_PEEK = 0x2;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const DATA_SIZE = 4096;

type CRecvmsg = (sockfd: number, header: Buffer, flags: number) => number;
const c_recvmsg: CRecvmsg = libc.func('intptr_t recvmsg(int sockfd, void *msg, int flags)');

/**
 * The descriptor of the first message that waits, closed on exec; undefined when none waits or it carries none. `peek`
 * leaves the message, and so the open file, in the socket. Never waits. Throws SyscallError.
 */
export function receiveFd(socket: number, how: 'take' | 'peek'): Fd | undefined {
  const data = Buffer.alloc(DATA_SIZE);
  const control = Buffer.alloc(RIGHTS_SPACE);
  const header = msghdr(data, control);
  const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (how === 'peek' ? MSG_PEEK : 0);
  try {
    check(c_recvmsg(socket, header, flags), 'recvmsg', () => String(socket));
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return undefined;
    throw error;
  }
  const fd = receivedFd(header, control);
  return fd === undefined ? undefined : new Fd(fd);
}
