// The socket between commands and the agent, both sides of it.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { askAgent, ControlError } from '../../src/agent/control-client.ts';
import { EventFeed } from '../../src/agent/event-feed.ts';
import { followEvents } from '../../src/agent/follow-events.ts';
import type { AgentStatus } from '../../src/agent/control-protocol.ts';
import { serveControl, type ControlHandlers } from '../../src/agent/control-server.ts';

const STATUS: AgentStatus = {
  version: '0.1.0',
  pid: 1,
  startedAt: 0,
  sources: [{ name: '/a', kind: 'directory', revision: 'r' }],
  workloads: [],
};

function socketPath(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-control-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'agent.sock');
}

async function agent(t: ExecutionContext, handlers: Partial<ControlHandlers> = {}): Promise<string> {
  const path = socketPath(t);
  const service = await serveControl(path, {
    status: () => STATUS,
    plan: () => ({ workloads: [] }),
    reconcile: () => ({}),
    events: () => Promise.reject(new Error('no events')),
    ...handlers,
  });
  t.teardown(() => service.close());
  return path;
}

/** Something else than an agent behind a socket: does `answer` with whoever connects. */
async function impostor(t: ExecutionContext, answer: (socket: Socket) => void): Promise<string> {
  const path = socketPath(t);
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    answer(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, () => resolve());
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

test('a question gets the answer of its handler', async (t) => {
  t.deepEqual(await askAgent(await agent(t), { method: 'status' }), STATUS);
});

test('the workload of a question arrives', async (t) => {
  const asked: unknown[] = [];
  const path = await agent(t, {
    reconcile: ({ workload }) => {
      asked.push(workload);
      return {};
    },
  });
  const workload = { kind: 'Pod', namespace: 'default', name: 'web' } as const;
  await askAgent(path, { method: 'reconcile', workload });
  t.deepEqual(asked, [workload]);
});

test('only the owner may open the socket', async (t) => {
  t.is(statSync(await agent(t)).mode & 0o777, 0o600);
});

test('what an agent that crashed left in its place is in nobody’s way', async (t) => {
  const path = socketPath(t);
  writeFileSync(path, '');
  const service = await serveControl(path, {
    status: () => STATUS,
    plan: () => ({ workloads: [] }),
    reconcile: () => ({}),
    events: () => Promise.reject(new Error('no events')),
  });
  t.teardown(() => service.close());
  t.is((await askAgent(path, { method: 'status' }))?.version, '0.1.0');
});

test('without an agent there is no answer', async (t) => {
  t.is(await askAgent(socketPath(t), { method: 'status' }), undefined);
});

test('a handler that fails is an error with its reason', async (t) => {
  const path = await agent(t, { plan: () => Promise.reject(new Error('no cgroups')) });
  await t.throwsAsync(askAgent(path, { method: 'plan' }), { instanceOf: ControlError, message: /no cgroups/ });
});

test('an unknown question is refused', async (t) => {
  const path = await agent(t);
  const wrong = { method: 'shutdown' } as unknown as { readonly method: 'status' };
  await t.throwsAsync(askAgent(path, wrong), { instanceOf: ControlError, message: /refused/ });
});

test('an agent of another version is called so', async (t) => {
  const path = await impostor(t, (socket) => socket.write('{"ok":true,"result":{"version":7}}\n'));
  await t.throwsAsync(askAgent(path, { method: 'status' }), { instanceOf: ControlError, message: /another version/ });
});

const NONSENSE = [
  ['something else than JSON', 'hello\n'],
  ['JSON that is no answer', '[1]\n'],
] as const;

for (const [what, line] of NONSENSE) {
  test(`${what} is an error`, async (t) => {
    const path = await impostor(t, (socket) => socket.write(line));
    await t.throwsAsync(askAgent(path, { method: 'status' }), { instanceOf: ControlError });
  });
}

test('a connection that is closed without an answer is an error', async (t) => {
  const path = await impostor(t, (socket) => socket.destroy());
  await t.throwsAsync(askAgent(path, { method: 'status' }), { instanceOf: ControlError, message: /without an answer/ });
});

test('an answer that comes in pieces is put together', async (t) => {
  const text = `${JSON.stringify({ ok: true, result: STATUS })}\n`;
  const path = await impostor(t, (socket) => {
    socket.write(text.slice(0, 20));
    setImmediate(() => socket.write(text.slice(20)));
  });
  t.deepEqual(await askAgent(path, { method: 'status' }), STATUS);
});

const event = (message: string) => ({ time: '2026-01-02T03:04:05.000Z', event: 'stepDone', message });

test('whoever listens hears of each event, also of one from before it is told that it may read', async (t) => {
  const feed = new EventFeed();
  const path = await agent(t, {
    events: async (listener) => {
      const subscription = feed.subscribe(listener);
      feed.publish(event('early'));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return subscription;
    },
  });
  const heard: (string | undefined)[] = [];
  await using stream = await followEvents(path, new AbortController().signal);
  feed.publish(event('one'));
  feed.publish(event('two'));
  for await (const { message } of stream?.entries ?? []) {
    heard.push(message);
    if (message === 'two') break;
  }
  t.deepEqual(heard, ['early', 'one', 'two']);
});

test('nobody is told any more once the listener has gone', async (t) => {
  const feed = new EventFeed();
  const gone = Promise.withResolvers<void>();
  const path = await agent(t, {
    events: (listener) => {
      const subscription = feed.subscribe(listener);
      return Promise.resolve({
        [Symbol.dispose]: () => {
          subscription[Symbol.dispose]();
          gone.resolve();
        },
      });
    },
  });
  const controller = new AbortController();
  const stream = await followEvents(path, controller.signal);
  controller.abort();
  for await (const { message } of stream?.entries ?? []) t.fail(message);
  await gone.promise;
  t.notThrows(() => feed.publish(event('unheard')));
});

test('without an agent nobody is listened to, and a refusal is an error', async (t) => {
  const { signal } = new AbortController();
  t.is(await followEvents(socketPath(t), signal), undefined);
  await t.throwsAsync(followEvents(await agent(t), signal), { instanceOf: ControlError, message: /no events/ });
});
