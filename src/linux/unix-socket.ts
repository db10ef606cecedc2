// connect(2) to a unix(7) socket by its path.
import { check } from './errno.ts';
import type { Fd } from './fd.ts';
import { libc } from './libc.ts';
import { socket, SOCK_STREAM } from './socket.ts';

const AF_UNIX = 1;
/** Bytes of sun_path, of which the last is a zero. */
const MAX_PATH = 107;

type CConnect = (sockfd: number, address: Buffer, length: number) => number;
const c_connect: CConnect = libc.func('int connect(int sockfd, const void *addr, uint32_t addrlen)');

/** A stream connected to whoever listens at `path`. Throws SyscallError, or RangeError when the path is too long. */
export function connectUnix(path: string): Fd {
  const name = Buffer.from(path);
  if (name.length > MAX_PATH)
    throw new RangeError(`'${path}' is too long for a unix socket: ${MAX_PATH} bytes at most`);
  const address = Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), name, Buffer.of(0)]);
  using connected = new DisposableStack();
  const fd = connected.use(socket(AF_UNIX, SOCK_STREAM, 0));
  check(c_connect(fd.number, address, address.length), 'connect', () => path);
  connected.move();
  return fd;
}
