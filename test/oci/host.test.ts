import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { openHost } from '../../src/oci/host.ts';

test('what berth keeps is for nobody else to see (SEC-14)', (t) => {
  const top = mkdtempSync(join(tmpdir(), 'berth-host-'));
  t.teardown(() => rmSync(top, { recursive: true }));
  const paths = { root: join(top, 'lib/berth'), state: join(top, 'run/berth'), cgroupParent: '/berth-test-host' };
  openHost(paths);
  for (const path of [paths.root, paths.state]) t.is(statSync(path).mode & 0o7777, 0o700, path);
  t.deepEqual(readdirSync(join(top, 'run')), ['berth']);
});
