// Programs at the ends of test connections, run in a network namespace of their own by nsenter(1):
//
//   network-peer.ts serve tcp:80 udp:53 …     answers everybody with the address that it sees them come from
//   network-peer.ts dial tcp ADDRESS PORT     prints that answer, or `refused`, or `blocked` when none comes
import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';

const PATIENCE_MS = 700;
const [command, ...words] = process.argv.slice(2);

if (command === 'serve') serve(words);
else if (command === 'dial') process.stdout.write(await dial(words[0] ?? '', words[1] ?? '', Number(words[2])));
else throw new Error(`No such command: ${command ?? ''}`);

/** Prints `ready` when all ports are open. Ends with its standard input. */
function serve(ports: readonly string[]): void {
  let waiting = ports.length;
  const opened = (): void => {
    waiting -= 1;
    if (waiting === 0) process.stdout.write('ready\n');
  };
  for (const [protocol, port] of ports.map((text) => text.split(':'))) {
    if (protocol === 'tcp') {
      createServer((peer) => peer.on('error', () => undefined).end(plain(peer.remoteAddress ?? ''))).listen(
        Number(port),
        '::',
        opened,
      );
    } else {
      const socket = createSocket('udp6');
      socket
        .on('message', (_, { address, port }) => socket.send(plain(address), port, address))
        .bind(Number(port), opened);
    }
  }
  process.stdin.on('end', () => process.exit()).resume();
}

function plain(address: string): string {
  return address.replace(/^::ffff:/, '');
}

function dial(protocol: string, address: string, port: number): Promise<string> {
  return protocol === 'tcp' ? dialTcp(address, port) : dialUdp(address, port);
}

function dialTcp(address: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: address, port, timeout: PATIENCE_MS });
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('end', () => resolve(answer));
  socket.on('timeout', () => resolve('blocked'));
  socket.on('error', ({ code }: NodeJS.ErrnoException) =>
    resolve(code === 'ECONNREFUSED' ? 'refused' : `error ${code ?? ''}`),
  );
  return promise.finally(() => socket.destroy());
}

function dialUdp(address: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('message', (answer) => resolve(answer.toString()));
  socket.on('error', ({ code }: NodeJS.ErrnoException) =>
    resolve(code === 'ECONNREFUSED' ? 'refused' : `error ${code ?? ''}`),
  );
  socket.connect(port, address, () => socket.send('?'));
  setTimeout(() => resolve('blocked'), PATIENCE_MS).unref();
  return promise.finally(() => socket.close());
}
