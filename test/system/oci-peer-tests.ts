// A test for each of some cases: berth-oci, runc and crun run the same bundle, and what comes of it is the same, or the
// difference has a reason.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { containersUnusable } from './busybox-bundle.ts';
import { bundleConfig, writeBundle } from './oci-bundle.ts';
import type { Case } from './oci-case.ts';
import { OciPeers, PEERS, type Outcome, type Peer } from './oci-peers.ts';

/** To be called once in a test file. */
export function peerTests(cases: Readonly<Record<string, Case>>): void {
  const unusable = containersUnusable('runc', 'crun', 'nsenter', 'unshare');
  if (unusable !== undefined) {
    for (const name of Object.keys(cases))
      test.skip(`${name}: as in runc and crun (skipped: ${unusable})`, () => undefined);
    return;
  }
  const peers = new OciPeers();
  test.after.always('nothing is left', () => peers.close());
  for (const [index, [name, one]] of Object.entries(cases).entries()) {
    test(`${name}: as in runc and crun`, async (t) => {
      const [berth, runc, crun] = await Promise.all(PEERS.map((peer) => runIn(peers, peer, `${peer}-${index}`, one)));
      if (one.expect !== undefined) t.like(berth, one.expect);
      for (const [peer, outcome] of [
        ['runc', runc],
        ['crun', crun],
      ] as const) {
        const reason = one.differs?.[peer];
        if (reason === undefined) t.deepEqual(berth, outcome, `berth is not like ${peer}`);
        else t.notDeepEqual(berth, outcome, `${peer} is like berth again, though: ${reason}`);
      }
    });
  }
}

async function runIn(
  peers: OciPeers,
  peer: Peer,
  id: string,
  { script, change, normal, codes }: Case,
): Promise<Outcome> {
  const directory = join(peers.bundles, id);
  const config = bundleConfig(script, `${peers.cgroupParent}/${id}`);
  mkdirSync(directory);
  writeBundle(directory, change?.(config, directory) ?? config);
  const { code, output } = await peers.call(peer, ['run', '--bundle', directory, id]);
  return { code: codes === 'failure' ? Math.sign(code) : code, output: normal?.(output) ?? output };
}
