// What `features` says, beside what runc says.
import test from 'ava';

import { containersUnusable, findProgram } from './busybox-bundle.ts';
import { OciPeers } from './oci-peers.ts';

const unusable = containersUnusable() ?? (findProgram('runc') === undefined ? 'no runc here' : undefined);
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;

type Features = { hooks: string[]; mountOptions: string[]; linux: { namespaces: string[]; capabilities: string[] } };

usable(`features: all that runc has${suffix}`, async (t) => {
  const peers = new OciPeers();
  t.teardown(() => peers.close());
  const [ours, theirs] = await Promise.all(
    (['berth', 'runc'] as const).map(
      async (peer) => JSON.parse((await peers.call(peer, ['features'])).output) as Features,
    ),
  );
  for (const list of ['hooks', 'mountOptions'] as const)
    t.deepEqual([theirs?.[list].filter((one) => ours?.[list].includes(one) !== true)], [[]], list);
  for (const list of ['namespaces', 'capabilities'] as const)
    t.deepEqual([theirs?.linux[list].filter((one) => ours?.linux[list].includes(one) !== true)], [[]], list);
  t.deepEqual(
    Object.keys(theirs?.linux ?? {}).filter((key) => !(key in (ours?.linux ?? {}))),
    [],
  );
});
