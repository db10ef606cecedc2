import { setImmediate as turn } from 'node:timers/promises';

import test from 'ava';

import { WorkQueue } from '../../src/reconcile/queue.ts';

/** Work that a test ends by hand. */
class Gate {
  readonly begun: string[] = [];
  readonly #open = new Map<string, () => void>();

  work = (name: string): Promise<void> => {
    this.begun.push(name);
    return new Promise((resolve) => {
      this.#open.set(name, resolve);
    });
  };

  async end(name: string): Promise<void> {
    this.#open.get(name)?.();
    await turn();
  }
}

test('a name that is added many times is worked on once, and once more if added meanwhile', async (t) => {
  const gate = new Gate();
  const queue = new WorkQueue({ work: gate.work, concurrency: 4 });
  for (let count = 0; count < 5; count++) queue.add('a');
  t.deepEqual(gate.begun, ['a'], 'one at a time');
  await gate.end('a');
  t.deepEqual(gate.begun, ['a', 'a']);
  await gate.end('a');
  t.deepEqual(gate.begun, ['a', 'a']);
  t.true(queue.isIdle);
});

test('a slow name delays no other, and no more than the bound run side by side', async (t) => {
  const gate = new Gate();
  const queue = new WorkQueue({ work: gate.work, concurrency: 2 });
  for (const name of ['slow', 'b', 'c', 'd']) queue.add(name);
  t.deepEqual(gate.begun, ['slow', 'b']);
  await gate.end('b');
  await gate.end('c');
  t.deepEqual(gate.begun, ['slow', 'b', 'c', 'd']);
});

test('idle is told when the last name is done', async (t) => {
  const gate = new Gate();
  let idle = 0;
  const queue = new WorkQueue({ work: gate.work, concurrency: 2, onIdle: () => (idle += 1) });
  await queue.idle();
  queue.add('a');
  const done = queue.idle();
  await gate.end('a');
  await done;
  t.is(idle, 1);
});

test('a closed queue ends its work in hand and takes up nothing more', async (t) => {
  const gate = new Gate();
  const queue = new WorkQueue({ work: gate.work, concurrency: 1 });
  queue.add('a');
  queue.add('b');
  const closed = queue.close();
  queue.add('c');
  await gate.end('a');
  await closed;
  t.deepEqual(gate.begun, ['a']);
});
