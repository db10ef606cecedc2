// Is a port free? A socket of ours that can be bound to it tells: rules would else take it from a program that listens.
import { isErrno } from '../../linux/errno.ts';
import {
  AF_INET,
  AF_INET6,
  bind,
  internetAddress,
  IPPROTO_IPV6,
  IPPROTO_SCTP,
  IPV6_V6ONLY,
  listen,
  setsockopt,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  socket,
  SOL_SOCKET,
} from '../../linux/socket.ts';
import { OciError } from '../error.ts';
import { portText, type TakenPort } from './published-port.ts';

/**
 * Throws OciError PORT_IN_USE when a program of this machine has the port, PORT_INVALID when its address is none of this
 * machine. A program that binds it later is not seen: the rules win, as with every packet filter.
 */
export function probePort(port: Omit<TakenPort, 'owner'>): void {
  const { family, protocol, hostIP = family === 4 ? '0.0.0.0' : '::', hostPort } = port;
  try {
    using probe = socket(
      family === 4 ? AF_INET : AF_INET6,
      protocol === 'UDP' ? SOCK_DGRAM : SOCK_STREAM,
      protocol === 'SCTP' ? IPPROTO_SCTP : 0,
    );
    // Connections in TIME_WAIT are no reason to refuse; two listeners still are.
    if (protocol !== 'UDP') setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family === 6) setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    bind(probe, internetAddress(hostIP, hostPort));
    if (protocol !== 'UDP') listen(probe, 1);
  } catch (error) {
    throw explained(error, port);
  }
}

function explained(error: unknown, port: Omit<TakenPort, 'owner'>): unknown {
  const text = portText(port);
  if (isErrno(error, 'EADDRINUSE')) {
    const message = `Cannot publish port ${text}: a program on this machine uses it (see ss -lnp 'sport = ${port.hostPort}')`;
    return new OciError('PORT_IN_USE', message, { cause: error });
  }
  if (isErrno(error, 'EADDRNOTAVAIL')) {
    return new OciError('PORT_INVALID', `Cannot publish port ${text}: not an address of this machine`, {
      cause: error,
    });
  }
  if (isErrno(error, 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EAFNOSUPPORT')) {
    return new OciError('PORT_INVALID', `Cannot publish port ${text}: this kernel has no such protocol`, {
      cause: error,
    });
  }
  return error;
}
