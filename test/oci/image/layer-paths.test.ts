import { join } from 'node:path';

import test from 'ava';

import {
  diffIDOfIngest,
  diffIDOfName,
  isRemoved,
  layerName,
  layerPaths,
  removedPath,
} from '../../../src/oci/image/layer-paths.ts';

const sha256 = `sha256:${'ab'.repeat(32)}`;
const sha512 = `sha512:${'cd'.repeat(64)}`;

test('a name tells its diffID', (t) => {
  for (const diffID of [sha256, sha512]) t.is(diffIDOfName(layerName(diffID)), diffID);
  t.is(layerName(sha256), 'ab'.repeat(32));
});

test('other names are of nothing', (t) => {
  for (const name of ['.locks', '', 'ab', `${'ab'.repeat(32)}x`, `sha512-${'ab'.repeat(32)}`, '..'])
    t.is(diffIDOfName(name), undefined);
});

test('only a digest becomes part of a path', (t) => {
  t.throws(() => layerPaths('/layers', 'sha256:../../etc'), { code: 'DIGEST_INVALID' });
});

test('what is being unpacked and what is being removed cannot be taken for a layer', (t) => {
  const { ingest, directory, tree } = layerPaths('/layers', sha256);
  const ingestName = ingest.slice('/layers/'.length);
  t.is(diffIDOfName(ingestName), undefined);
  t.is(diffIDOfIngest(ingestName), sha256);
  t.is(tree, join(directory, 'root'));
  const removed = removedPath('/layers', 'x').slice('/layers/'.length);
  t.true(isRemoved(removed));
  t.false(isRemoved(ingestName));
  t.is(diffIDOfIngest(removed), undefined);
  t.is(diffIDOfName(removed), undefined);
});
