// What a crash leaves of a pod's sandbox does not stand in the way of the next one.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import { podPaths } from '../../src/oci/pod/pod-paths.ts';
import { createSandbox, isReady, readSandbox, type SandboxSpec } from '../../src/oci/pod/sandbox.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const spec: SandboxSpec = {
  uid: 'c0ffee',
  namespace: 'default',
  name: 'web-0',
  owner: 'Deployment',
  workload: 'web',
  hash: 'h',
  graceSeconds: 1,
  hostname: 'web-0',
  network: 'bridge',
  ports: [],
};

function recordOf(scene: AgentScene): string {
  return join(podPaths(scene.host.paths, spec.uid).run, 'pod.json');
}

test(`a sandbox whose record a crash kept from being written is made anew${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'sandbox');
  const before = await createSandbox(scene.host, spec);
  rmSync(recordOf(scene));
  const after = await createSandbox(scene.host, spec);
  t.true(isReady(after));
  t.true(existsSync(after.pinned?.netnsPath ?? ''));
  t.is(after.pinned?.netnsPath, before.pinned?.netnsPath);
});

test(`a sandbox that a crash left half made is known, is not ready, and is made anew${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'sandbox');
  const whole = await createSandbox(scene.host, spec);
  writeFileSync(recordOf(scene), JSON.stringify({ ...whole, made: false, pinned: undefined }));
  const half = readSandbox(scene.host, spec.uid);
  t.like(half, { workload: 'web', owner: 'Deployment' }, 'whose it is is known: it goes when the workload goes');
  t.false(half !== undefined && isReady(half));
  t.true(isReady(await createSandbox(scene.host, spec)));
});

test(`a sandbox that lost its network namespace is not ready, and is made anew${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'sandbox');
  const { pinned } = await createSandbox(scene.host, spec);
  execFileSync('umount', [pinned?.netnsPath ?? '']);
  const broken = readSandbox(scene.host, spec.uid);
  t.false(broken !== undefined && isReady(broken));
  t.true(isReady(await createSandbox(scene.host, spec)));
});

test(`a reset takes what a crash left of a container that was never made${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'sandbox');
  const containers = join(scene.places.state, 'containers');
  for (const [id, record] of [
    ['none', undefined],
    ['torn', '{"id":"to'],
  ] as const) {
    mkdirSync(join(containers, id), { recursive: true });
    if (record !== undefined) writeFileSync(join(containers, id, 'state.json'), record);
  }
  t.is((await scene.berth('reset', '--yes')).code, 0);
  t.deepEqual(readdirSync(containers), []);
});

test(`a sandbox that is whole stays as it is${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'sandbox');
  await createSandbox(scene.host, spec);
  const record = readFileSync(recordOf(scene), 'utf8');
  await createSandbox(scene.host, spec);
  t.is(readFileSync(recordOf(scene), 'utf8'), record);
});
