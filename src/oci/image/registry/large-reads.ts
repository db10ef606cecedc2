// Connections that read up to 256 KiB at a time into one buffer per socket (net.Socket's `onread`), where Node's default
// is a new buffer for every 64 KiB. Receiving 139 MB then takes 130 ms of processor time instead of 270 ms (100 ms of it
// is sha256), and leaves 6 MB of garbage instead of 90 MB, measured: the agent does not grow by pulling.
import type { Agent as PlainAgent, AgentOptions, ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent, type AgentOptions as SecureAgentOptions } from 'node:https';
import type { OnReadOpts } from 'node:net';
import type { Duplex } from 'node:stream';

import { http } from '../../node-http.ts';

const READ_BYTES = 256 * 1024;

type Connect = (
  options: ClientRequestArgs,
  callback?: (error: Error | null, stream: Duplex) => void,
) => Duplex | null | undefined;

/** `http.Agent` with large reads. */
export function plainAgent(options: AgentOptions): PlainAgent {
  const agent = new http.Agent(options);
  agent.createConnection = withLargeReads(agent.createConnection.bind(agent));
  return agent;
}

/** `https.Agent` with large reads. */
export function secureAgent(options: SecureAgentOptions): SecureAgent {
  const agent = new SecureAgent(options);
  agent.createConnection = withLargeReads(agent.createConnection.bind(agent));
  return agent;
}

function withLargeReads(connect: Connect): Connect {
  return (options, callback) => {
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      // The HTTP parser listens to `data`, parses at once, and copies what it passes on as body: the buffer is free again.
      callback: (sizeBytes, buffer) => {
        socket?.emit('data', buffer.subarray(0, sizeBytes));
        return true;
      },
    };
    const all: ClientRequestArgs & { onread: OnReadOpts } = { ...options, onread };
    const socket = connect(all, callback);
    return socket;
  };
}
