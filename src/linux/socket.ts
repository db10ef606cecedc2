// socket(2), bind(2), listen(2), setsockopt(2), sendto(2), recv(2): datagrams to the kernel, and probes of a port.
import { isIPv4 } from 'node:net';

import { check } from './errno.ts';
import { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { ipBytes } from './netlink/ip-address.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_RCVTIMEO = 20;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_SCTP = 132;
export const IPV6_V6ONLY = 26;
const MSG_TRUNC = 0x20;

type CSocket = (domain: number, type: number, protocol: number) => number;
const c_socket: CSocket = libc.func('int socket(int domain, int type, int protocol)');
type CBind = (sockfd: number, addr: Buffer, addrlen: number) => number;
const c_bind: CBind = libc.func('int bind(int sockfd, const void *addr, uint32_t addrlen)');
type CListen = (sockfd: number, backlog: number) => number;
const c_listen: CListen = libc.func('int listen(int sockfd, int backlog)');
type CSetsockopt = (sockfd: number, level: number, name: number, value: Buffer, length: number) => number;
const c_setsockopt: CSetsockopt = libc.func(
  'int setsockopt(int sockfd, int level, int optname, const void *optval, uint32_t optlen)',
);
type CSend = (sockfd: number, buf: Buffer, len: number, flags: number) => number;
const c_send: CSend = libc.func('intptr_t send(int sockfd, const void *buf, size_t len, int flags)');
type CRecv = (sockfd: number, buf: Buffer, len: number, flags: number) => number;
const c_recv: CRecv = libc.func('intptr_t recv(int sockfd, void *buf, size_t len, int flags)');

/** A new socket, closed on exec. Throws SyscallError: EPROTONOSUPPORT or EAFNOSUPPORT when the kernel has no such. */
export function socket(domain: number, type: number, protocol: number): Fd {
  return new Fd(
    check(c_socket(domain, type | SOCK_CLOEXEC, protocol), 'socket', () => `${domain}, ${type}, ${protocol}`),
  );
}

/** `address` is a struct sockaddr_*. Throws SyscallError, such as EADDRINUSE. */
export function bind(fd: Fd, address: Buffer): void {
  check(c_bind(fd.number, address, address.length), 'bind', () => address.toString('hex'));
}

/** Take connections, `backlog` of them waiting. Throws SyscallError EADDRINUSE when another socket listens there. */
export function listen(fd: Fd, backlog: number): void {
  check(c_listen(fd.number, backlog), 'listen', () => String(backlog));
}

/** Set an option whose value is an int, or the bytes of a structure. */
export function setsockopt(fd: Fd, level: number, name: number, value: number | Buffer): void {
  const bytes = typeof value === 'number' ? Buffer.from(Int32Array.of(value).buffer) : value;
  check(c_setsockopt(fd.number, level, name, bytes, bytes.length), 'setsockopt', () => `${level}, ${name}`);
}

/** One datagram to the peer: for netlink the kernel. A signal that comes in between is no failure. */
export function send(fd: Fd, bytes: Buffer): void {
  check(c_send(fd.number, bytes, bytes.length, 0), 'send', () => `${bytes.length} bytes`);
}

/** One datagram into `buffer`. Throws RangeError when it does not fit, SyscallError EAGAIN after SO_RCVTIMEO. */
export function receive(fd: Fd, buffer: Buffer): Buffer {
  const length = check(c_recv(fd.number, buffer, buffer.length, MSG_TRUNC), 'recv', () => `${buffer.length} bytes`);
  if (length > buffer.length) throw new RangeError(`A datagram of ${length} bytes does not fit ${buffer.length}`);
  return buffer.subarray(0, length);
}

/** struct sockaddr_in or sockaddr_in6. Throws RangeError when `address` is no IP address. */
export function internetAddress(address: string, port: number): Buffer {
  const ip = ipBytes(address);
  const head = Buffer.alloc(isIPv4(address) ? 4 : 8);
  head.writeUInt16LE(isIPv4(address) ? AF_INET : AF_INET6, 0);
  head.writeUInt16BE(port, 2);
  return Buffer.concat([head, ip, Buffer.alloc(isIPv4(address) ? 8 : 4)]);
}

/** struct timeval of SO_RCVTIMEO. */
export function timeval(seconds: number): Buffer {
  const value = Buffer.alloc(16);
  value.writeBigInt64LE(BigInt(seconds), 0);
  return value;
}
