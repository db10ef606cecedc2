import { resolve } from 'node:path';

import test from 'ava';

import { controlSocketPath, resolvePlaces } from '../../src/agent/places.ts';

const NONE = { root: undefined, state: undefined, cgroupParent: undefined };

test('without flags and variables the places are those of a system', (t) => {
  t.deepEqual(resolvePlaces(NONE, {}), { root: '/var/lib/berth', state: '/run/berth', cgroupParent: '/berth' });
});

test('a flag wins over a variable, a variable over the default, an empty variable is none', (t) => {
  const environment = { BERTH_ROOT: '/from/env', BERTH_STATE: '/from/env', BERTH_CGROUP_PARENT: '' };
  const places = resolvePlaces({ ...NONE, root: '/from/flag' }, environment);
  t.deepEqual(places, { root: '/from/flag', state: '/from/env', cgroupParent: '/berth' });
});

test('directories become absolute, and a cgroup gets exactly one slash before each part', (t) => {
  const places = resolvePlaces({ root: 'data', state: './run/', cgroupParent: 'a//b/' }, {});
  t.deepEqual(places, { root: resolve('data'), state: resolve('run'), cgroupParent: '/a/b' });
});

for (const cgroupParent of ['/', '', '/a/../b', '.']) {
  test(`'${cgroupParent}' cannot be the parent of cgroups`, (t) => {
    t.throws(() => resolvePlaces({ ...NONE, cgroupParent }, {}), { instanceOf: RangeError });
  });
}

test('the socket is in the state directory', (t) => {
  t.is(controlSocketPath({ state: '/run/berth' }), '/run/berth/agent.sock');
});
