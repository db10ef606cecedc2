// `--listen`: where the agent serves HTTP. Pure.
import { isIP } from 'node:net';

export type ListenAddress = { readonly host: string; readonly port: number };

/**
 * Parse `127.0.0.1:9473`, `[::1]:9473`, `localhost:9473`, `:9473` (every address) or a port alone (loopback). `off` is
 * undefined. Throws RangeError on anything else.
 */
export function parseListen(text: string): ListenAddress | undefined {
  if (text === 'off') return undefined;
  const match = /^(?:(?<host>\[[^\]]*\]|[^:[\]]*)(?<colon>:))?(?<port>\d{1,5})$/.exec(text);
  const { host = '', colon, port = '' } = match?.groups ?? {};
  if (match === null || Number(port) > 65_535) throw invalid(text);
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (host.startsWith('[') ? isIP(bare) !== 6 : !/^[a-zA-Z0-9.-]*$/.test(bare)) throw invalid(text);
  if (colon === undefined) return { host: '127.0.0.1', port: Number(port) };
  return { host: bare === '' ? '::' : bare, port: Number(port) };
}

/** The address as it is written in a URL. */
export function formatAddress({ host, port }: ListenAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can connect. */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function invalid(text: string): RangeError {
  return new RangeError(`Cannot listen on '${text}': write HOST:PORT such as 127.0.0.1:9473, or off`);
}
