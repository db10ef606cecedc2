// struct msghdr of sendmsg(2) and recvmsg(2), and the control message of unix(7) that carries one descriptor.
import { koffi } from './koffi.ts';

import { SOL_SOCKET } from './socket.ts';

export const SCM_RIGHTS = 1;
/** CMSG_LEN and CMSG_SPACE of one descriptor: struct cmsghdr is a length, a level and a type. */
export const RIGHTS_LENGTH = 20;
export const RIGHTS_SPACE = 24;
export const SIZEOF_MSGHDR = 56;
const CONTROL_LENGTH_OFFSET = 40;
const FD_OFFSET = 16;

/** A msghdr with its one iovec behind it. `data` and `control` must stay alive while it is used. */
export function msghdr(data: Buffer, control: Buffer): Buffer {
  const header = Buffer.alloc(SIZEOF_MSGHDR + 16);
  header.writeBigUInt64LE(koffi.address(header) + BigInt(SIZEOF_MSGHDR), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), CONTROL_LENGTH_OFFSET);
  header.writeBigUInt64LE(koffi.address(data), SIZEOF_MSGHDR);
  header.writeBigUInt64LE(BigInt(data.length), SIZEOF_MSGHDR + 8);
  return header;
}

/** A control buffer that gives `fd` away. */
export function rightsControl(fd: number): Buffer {
  const control = Buffer.alloc(RIGHTS_SPACE);
  control.writeBigUInt64LE(BigInt(RIGHTS_LENGTH), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  control.writeInt32LE(fd, FD_OFFSET);
  return control;
}

/** The descriptor that came with a message, or undefined when none did. */
export function receivedFd(header: Buffer, control: Buffer): number | undefined {
  if (Number(header.readBigUInt64LE(CONTROL_LENGTH_OFFSET)) < RIGHTS_LENGTH) return undefined;
  const isRights = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS;
  return isRights ? control.readInt32LE(FD_OFFSET) : undefined;
}
