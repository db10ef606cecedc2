import test from 'ava';

import { LastSeen, type Seen } from '../../src/agent/last-seen.ts';
import { sampleIdentity } from './sample-snapshot.ts';

const web: Seen = { identity: sampleIdentity(), labels: { name: 'web-0/nginx' } };
const wanted = () => true;
const MINUTE = 60_000;

test('what runs is not missing', (t) => {
  t.deepEqual(new LastSeen().update([web], 1000, wanted), []);
});

test('what ran and should run keeps the time when it was last seen', (t) => {
  const seen = new LastSeen();
  seen.update([web], 1000, wanted);
  seen.update([web], 2000, wanted);
  t.deepEqual(seen.update([], 3000, wanted), [{ labels: web.labels, lastSeen: 2000 }]);
  t.deepEqual(seen.update([], 4000, wanted), [{ labels: web.labels, lastSeen: 2000 }]);
});

test('what nobody declares any more is not missed', (t) => {
  const seen = new LastSeen();
  seen.update([web], 1000, wanted);
  t.deepEqual(
    seen.update([], 2000, () => false),
    [],
  );
});

test('after ten minutes even a wanted container is forgotten', (t) => {
  const seen = new LastSeen();
  seen.update([web], 0, wanted);
  t.is(seen.update([], 10 * MINUTE, wanted).length, 1);
  t.is(seen.update([], 10 * MINUTE + 1, wanted).length, 0);
  t.is(seen.update([], 5, wanted).length, 0);
});

test('the next container of the same name takes the place of the one before it', (t) => {
  const seen = new LastSeen();
  seen.update([web], 1000, wanted);
  const next: Seen = { identity: sampleIdentity({ hash: 'other' }), labels: { name: 'next' } };
  t.deepEqual(seen.update([next], 2000, wanted), []);
  t.deepEqual(seen.update([], 3000, wanted), [{ labels: next.labels, lastSeen: 2000 }]);
});
