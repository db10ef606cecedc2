import { setImmediate } from 'node:timers/promises';

import test from 'ava';

import { collectGarbage } from '../../src/agent/boot-garbage.ts';

function garbage(): WeakRef<object> {
  return new WeakRef({ size: 1 });
}

test('what nothing refers to is gone, and gc is no global afterwards', async (t) => {
  const reference = garbage();
  // A reference that was made in this turn of the event loop is kept until its end.
  await setImmediate();
  collectGarbage();
  t.is(reference.deref(), undefined);
  t.false('gc' in globalThis);
});
