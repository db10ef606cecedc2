import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { openLayerStore } from '../../../src/oci/image/layer-store.ts';

test('a store whose directory is gone by the time it is swept says so and ends nothing', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-sweep-'));
  const errors: unknown[] = [];
  await using _store = openLayerStore(directory, { onError: (error) => errors.push(error) });
  rmSync(directory, { recursive: true });
  for (let attempt = 0; attempt < 500 && errors.length === 0; attempt += 1) await sleep(10);
  t.like(errors[0], { code: 'ENOENT' });
});
