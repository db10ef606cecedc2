import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { AgentRunning, takeAgentLock } from '../../src/agent/agent-lock.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-lock-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const places = (root: string, state: string) => ({ root: join(directory, root), state: join(directory, state) });

test('a second agent with the same root or the same state is refused, and says which', (t) => {
  using _first = takeAgentLock(places('root', 'state'));
  t.throws(() => takeAgentLock(places('root', 'other')), { instanceOf: AgentRunning, message: /\/root:/ });
  t.throws(() => takeAgentLock(places('another', 'state')), { instanceOf: AgentRunning, message: /\/state:/ });
});

test('an agent that was refused leaves no lock behind', (t) => {
  using _first = takeAgentLock(places('a', 'b'));
  t.throws(() => takeAgentLock(places('c', 'b')));
  using _third = takeAgentLock(places('c', 'd'));
  t.pass();
});

test('when an agent has ended the next one may begin', (t) => {
  takeAgentLock(places('e', 'f'))[Symbol.dispose]();
  using _next = takeAgentLock(places('e', 'f'));
  t.pass();
});

test('root and state may be one directory', (t) => {
  using _both = takeAgentLock(places('g', 'g'));
  t.pass();
});
