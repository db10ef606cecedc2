// The same bundles in berth-oci, runc and crun: what their programs see is the same, or the difference has a reason.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { containersUnusable } from './busybox-bundle.ts';
import { bundleConfig, writeBundle } from './oci-bundle.ts';
import type { Case } from './oci-case.ts';
import { FILE_CASES } from './oci-file-cases.ts';
import { HOOK_CASES } from './oci-hook-cases.ts';
import { NAMESPACE_CASES } from './oci-namespace-cases.ts';
import { MOUNT_CASES } from './oci-mount-cases.ts';
import { PROCESS_CASES } from './oci-process-cases.ts';
import { OciPeers, PEERS, type Outcome, type Peer } from './oci-peers.ts';

const unusable = containersUnusable('runc', 'crun', 'nsenter', 'unshare');
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const peers = unusable === undefined ? new OciPeers() : undefined;
const CASES: Readonly<Record<string, Case>> = {
  ...PROCESS_CASES,
  ...FILE_CASES,
  ...MOUNT_CASES,
  ...NAMESPACE_CASES,
  ...HOOK_CASES,
};
if (peers !== undefined) test.after.always('nothing is left', () => peers.close());

async function runIn(peer: Peer, name: string, { script, change, normal, codes }: Case): Promise<Outcome> {
  if (peers === undefined) throw new Error(`These tests are skipped: ${unusable}`);
  const id = `${peer}-${Object.keys(CASES).indexOf(name)}`;
  const directory = join(peers.bundles, id);
  const config = bundleConfig(script, `${peers.cgroupParent}/${id}`);
  mkdirSync(directory);
  writeBundle(directory, change?.(config, directory) ?? config);
  const { code, output } = await peers.call(peer, ['run', '--bundle', directory, id]);
  return { code: codes === 'failure' ? Math.sign(code) : code, output: normal?.(output) ?? output };
}

for (const [name, one] of Object.entries(CASES)) {
  usable(`${name}: as in runc and crun${suffix}`, async (t) => {
    const [berth, runc, crun] = await Promise.all(PEERS.map((peer) => runIn(peer, name, one)));
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
