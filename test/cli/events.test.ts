import test from 'ava';

import { eventTable, isAbout, select } from '../../src/cli/commands/events.ts';

const step = {
  time: '2026-01-02T03:04:05.000Z',
  event: 'stepDone',
  workload: 'Deployment/default/web',
  step: 'startContainer',
  pod: 'web-0',
  container: 'nginx',
  message: 'not\nrunning',
} as const;

const NAMES = ['web', 'default/web', 'Deployment/default/web', 'web-0', 'default/web-0', 'web-0/nginx'];

for (const name of [...NAMES, 'default/web-0/nginx']) {
  test(`a step is about '${name}'`, (t) => {
    t.true(isAbout(step, name));
  });
}

for (const name of ['', 'we', 'nginx', 'prod/web', 'web-0/', 'default']) {
  test(`a step is not about '${name}'`, (t) => {
    t.false(isAbout(step, name));
  });
}

test('what is about a source or an image is found by it', (t) => {
  t.true(isAbout({ time: '', event: 'revisionAccepted', source: '/srv' }, '/srv'));
  t.true(isAbout({ time: '', event: 'imagePulled', image: 'nginx:1' }, 'nginx:1'));
});

test('the table has a line an event', (t) => {
  t.is(
    eventTable([step]),
    [
      'TIME                       EVENT                     SUBJECT       MESSAGE',
      '2026-01-02T03:04:05.000Z   stepDone startContainer   web-0/nginx   not running',
      '',
    ].join('\n'),
  );
});

const at = (time: string, pod: string) => ({ time, event: 'stepDone', pod });

test('what was asked for is the last ones, since then, about that', (t) => {
  const entries = [at('2026-01-01T00:00:00Z', 'a'), at('2026-01-02T00:00:00Z', 'b'), at('2026-01-03T00:00:00Z', 'a')];
  const all = { name: undefined, since: undefined, count: 0 };
  t.deepEqual(select(entries, all), entries);
  t.deepEqual(select(entries, { ...all, count: 2 }), entries.slice(1));
  t.deepEqual(select(entries, { ...all, since: Date.parse('2026-01-02') }), entries.slice(1));
  t.deepEqual(select(entries, { ...all, name: 'a', count: 1 }), entries.slice(2));
});
