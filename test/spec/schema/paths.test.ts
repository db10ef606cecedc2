import assert from 'node:assert/strict';
import { posix } from 'node:path';

import test from 'ava';
import * as fc from 'fast-check';

import {
  absolutePathProblem,
  mountPathProblem,
  normalizedPath,
  relativePathProblem,
} from '../../../src/spec/schema/paths.ts';

const PATHS = fc.string({ unit: fc.constantFrom('/', '.', '..', 'a', 'b:', '...', 'proc', ' '), maxLength: 8 });

test('an accepted relative path stays below the directory it is joined to', (t) => {
  const property = fc.property(PATHS, (path) => {
    if (relativePathProblem(path) !== undefined) return;
    const joined = posix.normalize(`/root/${path}`);
    assert(joined === '/root' || joined.startsWith('/root/'), joined);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test('an accepted mount path is neither the root nor in /proc', (t) => {
  const property = fc.property(PATHS, (path) => {
    if (mountPathProblem(path) !== undefined) return;
    const place = posix.resolve(path);
    assert(path.startsWith('/') && place !== '/' && place !== '/proc' && !place.startsWith('/proc/'), path);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test('normalised paths are equal when the places are', (t) => {
  const property = fc.property(PATHS, (path) => {
    if (absolutePathProblem(path) !== undefined) return;
    assert.equal(normalizedPath(path), posix.resolve(path));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

test('what is refused', (t) => {
  for (const path of ['', 'a', './a', '/..', '/a/../b', `/${'a'.repeat(4095)}`])
    t.not(absolutePathProblem(path), undefined);
  for (const path of ['/', '//', '/.', '/a:b', '/proc', '/proc/', '//proc/self', '/./proc']) {
    t.not(mountPathProblem(path), undefined, path);
  }
  for (const path of ['', '/a', '..', 'a/..', '../a']) t.not(relativePathProblem(path), undefined, path);
});

test('what is taken', (t) => {
  for (const path of ['/', '/a', '/a/..b', '/a b', '/ä']) t.is(absolutePathProblem(path), undefined, path);
  for (const path of ['/a', '/processes', '/host/proc', '/sys']) t.is(mountPathProblem(path), undefined, path);
  for (const path of ['a', 'a/b', '..a', '.', 'a:b']) t.is(relativePathProblem(path), undefined, path);
});
