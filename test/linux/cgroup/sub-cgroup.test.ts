import test from 'ava';
import * as fc from 'fast-check';

import type { CgroupLayout } from '../../../src/linux/cgroup/layout.ts';
import { parseSubCgroup, subCgroupEntry } from '../../../src/linux/cgroup/sub-cgroup.ts';

const layout: CgroupLayout = {
  hierarchies: [
    { version: 1, mountPoint: '/cg/pids', controllers: ['pids'], self: '/' },
    { version: 1, mountPoint: '/cg/cpu', controllers: ['cpu', 'cpuacct'], self: '/' },
    { version: 2, mountPoint: '/cg/unified', controllers: [], self: '/' },
  ],
};
const place = {
  layout,
  path: '/c',
  entry: { tasksFiles: ['/cg/pids/c/tasks', '/cg/cpu/c/tasks'], bornIn: '/cg/unified/c' },
};

test('a path alone is below every cgroup of the container', (t) => {
  t.deepEqual(subCgroupEntry(place, [parseSubCgroup('/a//./b/')]), {
    tasksFiles: ['/cg/pids/c/a/b/tasks', '/cg/cpu/c/a/b/tasks'],
    bornIn: '/cg/unified/c/a/b',
  });
  t.deepEqual(subCgroupEntry(place, []), place.entry);
});

test('with controllers it is below theirs', (t) => {
  t.deepEqual(subCgroupEntry(place, [parseSubCgroup('cpu,cpuacct:x')]), {
    tasksFiles: ['/cg/pids/c/tasks', '/cg/cpu/c/x/tasks'],
    bornIn: '/cg/unified/c',
  });
  t.throws(() => subCgroupEntry(place, [parseSubCgroup('nosuch:x')]), { message: /Unknown controller 'nosuch'/ });
});

test('no path leads out of the container', (t) => {
  for (const path of ['..', 'a/../..', 'cpu:..', '../x'])
    t.throws(() => parseSubCgroup(path), { message: /sub cgroup path/ });
  const property = fc.property(fc.string(), (text) => {
    try {
      return !parseSubCgroup(text).path.split('/').includes('..');
    } catch {
      return true;
    }
  });
  t.notThrows(() => fc.assert(property));
});
