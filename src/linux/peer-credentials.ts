// SO_PEERCRED of unix(7): who is at the other end of a connected unix socket, as the kernel knows it.
import { check } from './errno.ts';
import { libc } from './libc.ts';
import { SOL_SOCKET } from './socket.ts';

const SO_PEERCRED = 17;
const SIZEOF_UCRED = 12;

type CGetsockopt = (sockfd: number, level: number, name: number, value: Buffer, length: Buffer) => number;
const c_getsockopt: CGetsockopt = libc.func(
  'int getsockopt(int sockfd, int level, int optname, void *optval, void *optlen)',
);

/** Of the process that connected, at the time when it did: it may have ended since, so `pid` is for people. */
export type PeerCredentials = { readonly pid: number; readonly uid: number; readonly gid: number };

/** The peer of a connected unix socket. Throws SyscallError, ENOTSOCK or EBADF where it is none. */
export function peerCredentials(fd: number): PeerCredentials {
  const ucred = Buffer.alloc(SIZEOF_UCRED);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SIZEOF_UCRED);
  check(c_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, length), 'getsockopt', () => `${fd}, SO_PEERCRED`);
  return { pid: ucred.readInt32LE(0), uid: ucred.readUInt32LE(4), gid: ucred.readUInt32LE(8) };
}
