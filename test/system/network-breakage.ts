// What goes wrong around a network: others break it, processes are killed, many come at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { allocateAddress, listAddresses } from '../../src/oci/network/address-pool.ts';
import { ensureNetwork } from '../../src/oci/network/ensure-network.ts';
import { removePodNetwork } from '../../src/oci/network/pod-network.ts';
import { listPodRecords, writePodRecord } from '../../src/oci/network/record.ts';
import { removeNetwork } from '../../src/oci/network/remove-network.ts';
import { directory, plan, pod, port } from './network-pods.ts';
import { dial, MACHINE, run, serve, traces } from './network-scene.ts';

const CREATE_PODS = fileURLToPath(new URL('network-create-pods.ts', import.meta.url));

function reach(lan: string): string {
  return dial(lan, 'tcp', MACHINE.ipv4, 8080);
}

async function mended(lan: string): Promise<string> {
  await ensureNetwork(plan());
  return reach(lan);
}

/** Others, crashes and `nft flush ruleset` break things; ensureNetwork mends them. */
export async function repair(lan: string): Promise<unknown> {
  const network = await ensureNetwork(plan());
  const a = await pod(network, 'a', { ports: [port(8080)] });
  await serve(a.netnsPath, ['tcp:80']);
  const seen: Record<string, unknown> = { atFirst: reach(lan) };
  run('/usr/sbin/nft', 'flush', 'ruleset');
  seen['flushed'] = [reach(lan), await mended(lan)];
  run('/usr/sbin/nft', 'delete', 'element', 'inet', 'bt0', 'ports4', '{ tcp . 8080 }');
  seen['without its port'] = [reach(lan), await mended(lan)];
  run('ip', 'link', 'del', 'bt0');
  seen['without its bridge'] = [reach(lan), await mended(lan)];
  // A pod whose creation was cut short: a record, an address, no cable.
  const owner = { owner: 'dead', bootId: run('cat', '/proc/sys/kernel/random/boot_id').trim() };
  const ipv4 = allocateAddress({ directory: join(network.directory, 'addresses'), subnet: network.ipv4 }, owner);
  const runDirectory = join(directory, 'pods', 'dead');
  writePodRecord(network.directory, {
    podUid: 'dead',
    bootId: owner.bootId,
    ipv4,
    ipv6: undefined,
    hostLink: 'bv00000000dead',
    runDirectory,
    ports: [],
  });
  await removePodNetwork({ podUid: 'dead', network });
  // A pod of another boot, and cables that no pod has.
  writePodRecord(network.directory, {
    podUid: 'old',
    bootId: 'x',
    ipv4: '10.88.0.77',
    ipv6: undefined,
    hostLink: 'bv00000000beef',
    runDirectory,
    ports: [port(9999)],
  });
  for (const link of ['bv000000000001', 'mine0']) {
    run('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', `${link.slice(-4)}-peer`);
    run('ip', 'link', 'set', link, 'master', 'bt0');
  }
  await ensureNetwork(plan());
  seen['left'] = traces(directory)['links']?.filter((link) => /^(bv00000000|mine)/.test(link));
  seen['records'] = traces(directory)['files']?.filter((file) => /pods\/.*json|addresses\/[^.]/.test(file));
  await removeNetwork(plan());
  return { ...seen, pod: a.ipv4, after: traces(directory) };
}

/** Thirty pods at once, of two processes. */
export async function crowd(): Promise<unknown> {
  const network = await ensureNetwork(plan());
  const other = spawn(process.execPath, [CREATE_PODS, directory, 'other', '15'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const uids = Array.from({ length: 15 }, (_, index) => `own${index}`);
  await Promise.all(uids.map((uid, index) => pod(network, uid, { ports: [port(9000 + index)] })));
  await once(other, 'exit');
  const records = listPodRecords(network.directory);
  const unplugged = records.filter(({ hostLink }) => !run('ip', 'link', 'show', hostLink).includes('master bt0'));
  await removeNetwork(plan());
  return { addresses: new Set(records.map(({ ipv4 }) => ipv4)).size, unplugged, after: traces(directory) };
}

/** A process that makes pods is killed again and again; what it leaves is found by its records, and removed. */
export async function crashes(): Promise<unknown> {
  const before = traces(directory);
  const network = await ensureNetwork(plan());
  const killed: number[] = [];
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, [CREATE_PODS, directory, `r${round}-`, '50'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await sleep(round);
    child.kill('SIGKILL');
    await once(child, 'exit');
    killed.push(listPodRecords(network.directory).length);
  }
  await ensureNetwork(plan());
  await sleep(50); // a tape that was under way ends by itself
  for (const { podUid } of listPodRecords(network.directory)) await removePodNetwork({ podUid, network });
  const rest = listAddresses(join(network.directory, 'addresses'));
  await removeNetwork(plan());
  return { killed: killed.length, made: (killed.at(-1) ?? 0) > 0, rest, before, after: traces(directory) };
}
