import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import {
  formatLayerRecord,
  isUsable,
  parseLayerRecord,
  type LayerRecord,
} from '../../../src/oci/image/layer-record.ts';

const record: LayerRecord = {
  id: 'a',
  entries: 3,
  sizeBytes: 10,
  implied: ['', 'usr'],
  opaqueRoot: false,
  durability: { state: 'unsynced', boot: 'this' },
};

test('a record is read back, and no beginning of it is taken for one', (t) => {
  const text = formatLayerRecord(record);
  t.deepEqual({ ...parseLayerRecord(text) }, { ...parseLayerRecord(text), ...record });
  for (let length = 0; length < text.length - 1; length++) t.is(parseLayerRecord(text.slice(0, length)), undefined);
});

test('nothing but a record of this version is one', (t) => {
  t.is(parseLayerRecord(formatLayerRecord(record).replace('"version":1', '"version":2')), undefined);
  t.is(parseLayerRecord(formatLayerRecord(record).replace('unsynced', 'fine')), undefined);
  t.notThrows(() =>
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => assert.equal(parseLayerRecord(text), undefined))),
  );
});

test('a layer that the disk may not have is only good in the boot that made it', (t) => {
  t.true(isUsable(record, 'this'));
  t.false(isUsable(record, 'next'));
  t.false(isUsable({ ...record, durability: { state: 'lost', boot: 'this' } }, 'next'));
  t.true(isUsable({ ...record, durability: { state: 'lost', boot: 'this' } }, 'this'));
  t.true(isUsable({ ...record, durability: { state: 'synced' } }, 'next'));
});
