// A process that has given up, once, what containers do not get: they have the same as if each had dropped it, and those that
// shall have more still get it.
import { readFileSync, rmdirSync } from 'node:fs';

import type { ExecutionContext } from 'ava';

import { capabilityMask, CAPABILITIES, lastCapability } from '../../src/linux/capability.ts';
import { hierarchyOf } from '../../src/linux/cgroup/layout.ts';
import { DEFAULT_CAPABILITIES } from '../../src/oci/runtime/defaults.ts';
import { execInContainer } from '../../src/oci/runtime/exec.ts';
import { prepareForMany } from '../../src/oci/runtime/prepare-for-many.ts';
import { sceneTests } from './scene-tests.ts';

const { usable: usableAtOnce, suffix, here, running } = sceneTests();
const usable = 'serial' in usableAtOnce ? usableAtOnce.serial : usableAtOnce;
const STATUS = ['sh', '-c', 'grep -E "^Cap(Bnd|Prm|Inh|Amb)" /proc/self/status'];

function above(): string {
  return `${here().cgroupParent}/confined`;
}

/** The masks of a status: bounding, permitted, inheritable, ambient. */
function masks(status: string): Record<string, bigint> {
  return Object.fromEntries(
    [...status.matchAll(/^Cap(\w+):\s*([0-9a-f]+)$/gm)].map(([, name = '', mask]) => [name, BigInt(`0x${mask}`)]),
  );
}

function everything(): bigint {
  return capabilityMask(CAPABILITIES.slice(0, lastCapability() + 1)) & here().runtime.capabilities;
}

usable(`a container has the default capabilities and nothing inherited${suffix}`, async (t) => {
  await prepareForMany(here().runtime, above()); // for the tests below too: it cannot be undone
  const { output } = await here().run(
    here().request(here().newId(), { command: STATUS, cgroupPath: `${above()}/one` }),
  );
  const expected = capabilityMask(DEFAULT_CAPABILITIES);
  t.deepEqual(masks(output), { Inh: 0n, Prm: expected, Bnd: expected, Amb: 0n });
});

usable(`a container that asks for more gets it, and a privileged one everything${suffix}`, async (t) => {
  const more = await here().run(here().request(here().newId(), { command: STATUS, capabilitiesAdd: ['NET_ADMIN'] }));
  t.is(masks(more.output)['Bnd'], capabilityMask([...DEFAULT_CAPABILITIES, 'CAP_NET_ADMIN']));
  t.is(masks(more.output)['Inh'], 0n);
  const all = await here().run(here().request(here().newId(), { command: STATUS, privileged: true }));
  t.is(masks(all.output)['Bnd'], everything());
  t.is(masks(all.output)['Prm'], everything());
});

usable(`exec gives more than the container has where it is asked for${suffix}`, async (t) => {
  const id = await running(t);
  const capabilities = { bounding: CAPABILITIES, permitted: CAPABILITIES, effective: CAPABILITIES };
  const process = { ...here().process(id, ['sh', '-c', `${STATUS[2]} > /bounding`]), capabilities };
  await execInContainer(here().runtime, { id, process, stdio: [0, 1, 2] });
  const written = readFileSync(`/proc/${here().processes(id)[0]}/root/bounding`, 'utf8');
  t.is(masks(written)['Bnd'], everything());
});

/** Where a machine has the devices hierarchy of cgroup v1. */
function devicesDirectory(): string | undefined {
  const hierarchy = hierarchyOf(here().runtime.cgroups, 'devices');
  return hierarchy?.version === 1 ? hierarchy.mountPoint : undefined;
}

/** The device rules of a container whose cgroup is `path`. */
async function rulesOf(t: ExecutionContext, path: string): Promise<string> {
  await running(t, { cgroupPath: path });
  return readFileSync(`${devicesDirectory()}${path}/devices.list`, 'utf8');
}

usable(`a cgroup below the shared one has its device rules, one elsewhere its own${suffix}`, async (t) => {
  if (devicesDirectory() === undefined) {
    t.pass('cgroup v2 has no such files');
    return;
  }
  const own = await rulesOf(t, `${here().cgroupParent}/own`);
  t.regex(own, /^c 1:3 rwm$/m);
  t.notRegex(own, /^a /m);
  t.is(await rulesOf(t, `${above()}/two`), own);
});

usable(`when somebody has removed the shared cgroup, containers get their rules one by one${suffix}`, async (t) => {
  if (devicesDirectory() === undefined) {
    t.pass('cgroup v2 has no such files');
    return;
  }
  rmdirSync(`${devicesDirectory()}${above()}`);
  const first = await rulesOf(t, `${above()}/three`);
  t.notRegex(first, /^a /m);
  t.is(await rulesOf(t, `${above()}/four`), first);
});
