// gRPC probes against gRPC's own C++ core, by way of Python.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

import baseTest from 'ava';

import { checkGrpcHealth, type GrpcAnswer } from '../../src/agent/probe/grpc-health.ts';

const PYTHON = '/usr/bin/python3';

function grpcMissing(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import grpc'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the Debian package python3-grpcio is missing';
  }
}

const reason = grpcMissing();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

/** Health/Check as a server has it. Messages are bytes here: 0a LENGTH NAME asks, 08 STATUS answers. */
const SERVER = `
import grpc, sys
from concurrent import futures

def check(request, context):
    service = request[2:].decode()
    if service == 'unknown':
        context.abort(grpc.StatusCode.NOT_FOUND, 'no such service')
    if service == 'slow':
        import time; time.sleep(3)
    return b'\\x08\\x02' if service == 'bad' else b'\\x08\\x01'

server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
if sys.argv[1] == 'with-health':
    handler = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler('grpc.health.v1.Health', {'Check': handler})])
print(server.add_insecure_port('127.0.0.1:0'), flush=True)
server.start()
sys.stdin.read()
`;

async function withServer(mode: 'with-health' | 'without', work: (port: number) => Promise<void>): Promise<void> {
  const server = spawn(PYTHON, ['-c', SERVER, mode], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(server, 'close');
  try {
    const [port] = (await once(server.stdout.setEncoding('utf8'), 'data')) as [string];
    await work(Number(port));
  } finally {
    server.stdin.end();
    server.kill('SIGTERM');
    await closed;
  }
}

function ask(port: number, service: string, timeoutMs = 20_000): Promise<GrpcAnswer> {
  return checkGrpcHealth({ host: '127.0.0.1', port, service }, AbortSignal.timeout(timeoutMs));
}

test(`a server says how it is, how a service of it is, and that there is no such service${skipped}`, async (t) => {
  await withServer('with-health', async (port) => {
    t.deepEqual(await ask(port, ''), { status: 1 });
    t.deepEqual(await ask(port, 'x'.repeat(100)), { status: 1 });
    t.deepEqual(await ask(port, 'bad'), { status: 2 });
    t.deepEqual(await ask(port, 'unknown'), { code: 5, message: 'no such service' });
    await t.throwsAsync(ask(port, 'slow', 500), { name: 'TimeoutError' });
  });
});

test(`a server that knows nothing of health says that it does not implement it${skipped}`, async (t) => {
  await withServer('without', async (port) => {
    t.like(await ask(port, ''), { code: 12 });
  });
});
