// What happens in the network tests, one scenario per run: network-scenarios.ts NAME DIRECTORY prints what was seen as JSON.
// Started in network and mount namespaces of its own: see network.test.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureNetwork } from '../../src/oci/network/ensure-network.ts';
import { planNetwork } from '../../src/oci/network/network.ts';
import { removePodNetwork } from '../../src/oci/network/pod-network.ts';
import { removeNetwork } from '../../src/oci/network/remove-network.ts';
import { crashes, crowd, repair } from './network-breakage.ts';
import { directory, failureOf, plan, pod, port } from './network-pods.ts';
import { dial, endServers, json, LAN, MACHINE, makeLan, run, serve, traces } from './network-scene.ts';

const name = process.argv[2] ?? '';
const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  shape,
  traffic: () => traffic(),
  'traffic-unbridged': () => {
    writeFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', '0');
    writeFileSync('/proc/sys/net/bridge/bridge-nf-call-ip6tables', '0');
    return traffic();
  },
  attacks,
  refusals,
  repair: () => repair(lan),
  neighbours,
  crowd,
  crashes,
};

const lan = await makeLan();
process.stdout.write(JSON.stringify(await scenarios[name]?.()));
await endServers();

/** What a network and a pod are made of, and what is left of them. */
async function shape(): Promise<unknown> {
  const before = traces(directory);
  const network = await ensureNetwork(plan());
  const a = await pod(network, 'a', { ports: [port(8080), port(8081, { hostIP: '127.0.0.1' })] });
  await pod(network, 'b');
  const inside = (...args: readonly string[]): unknown => json('nsenter', `--net=${a.netnsPath}`, 'ip', '-j', ...args);
  const ruleset = run('/usr/sbin/nft', '-a', 'list', 'ruleset');
  const again = await ensureNetwork(plan());
  const seen = {
    network: { ...network, ipv4: undefined, ipv6: undefined, same: again.bridgeIndex === network.bridgeIndex },
    pod: a,
    podAddresses: inside('addr'),
    podRoutes: [inside('route'), inside('-6', 'route', 'show', 'default')],
    machine: json('ip', '-j', '-d', 'addr'),
    ruleset: run('/usr/sbin/nft', 'list', 'ruleset'),
    untouched: run('/usr/sbin/nft', '-a', 'list', 'ruleset') === ruleset,
    ipc:
      run('readlink', '/proc/self/ns/ipc') !== run('nsenter', `--ipc=${a.ipcnsPath}`, 'readlink', '/proc/self/ns/ipc'),
  };
  await removePodNetwork({ podUid: 'b', network });
  await removePodNetwork({ podUid: 'b', network });
  await removeNetwork(plan());
  await removeNetwork(plan());
  return { ...seen, before, after: traces(directory) };
}

/** Who can reach what, and as whom. */
async function traffic(): Promise<unknown> {
  const network = await ensureNetwork(plan());
  const ports = [
    port(8080),
    port(8081, { hostIP: '127.0.0.1' }),
    port(8082, { hostIP: MACHINE.ipv4 }),
    port(5300, { protocol: 'UDP' }),
  ];
  const a = await pod(network, 'a', { ports });
  const b = await pod(network, 'b');
  await serve(a.netnsPath, ['tcp:80', 'udp:80']);
  await serve(b.netnsPath, ['tcp:80']);
  const from = { lan, machine: undefined, a: a.netnsPath, b: b.netnsPath };
  const connections = [
    ['a', 'tcp', b.ipv4, 80],
    ['a', 'tcp', b.ipv6 ?? '', 80],
    ['a', 'tcp', LAN.ipv4, 7000],
    ['a', 'udp', LAN.ipv4, 7000],
    ['a', 'tcp', LAN.ipv6, 7000],
    ['machine', 'tcp', a.ipv4, 80],
    ...(['lan', 'machine', 'a', 'b'] as const).flatMap((who) => [
      [who, 'tcp', MACHINE.ipv4, 8080] as const,
      [who, 'tcp', MACHINE.ipv6, 8080] as const,
      [who, 'tcp', MACHINE.ipv4, 8081] as const,
      [who, 'tcp', MACHINE.ipv4, 8082] as const,
      [who, 'udp', MACHINE.ipv4, 5300] as const,
    ]),
    ['machine', 'tcp', '127.0.0.1', 8080],
    ['machine', 'tcp', '127.0.0.1', 8081],
    ['machine', 'tcp', '127.0.0.1', 8082],
    ['machine', 'udp', '127.0.0.1', 5300],
    ['machine', 'tcp', '::1', 8080],
  ] as const;
  const seen = connections.map(([who, protocol, address, number]) => {
    return [`${who} ${protocol} ${address} ${number}`, dial(from[who], protocol, address, number)] as const;
  });
  await removePodNetwork({ podUid: 'a', network });
  const gone = dial(lan, 'tcp', MACHINE.ipv4, 8080);
  await removeNetwork(plan());
  return { seen: Object.fromEntries(seen), gone };
}

/** Make a namespace send packets for 127.0.0.1 to the machine. */
function loopbackVia(netns: string, gateway: string): void {
  const inside = (...args: readonly string[]): string => run('nsenter', `--net=${netns}`, ...args);
  inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
  inside('ip', 'link', 'set', 'lo', 'up');
  inside('ip', 'addr', 'del', '127.0.0.1/8', 'dev', 'lo');
  inside('ip', 'route', 'add', '127.0.0.1', 'via', gateway);
}

/** Ways around the published ports. */
async function attacks(): Promise<unknown> {
  const network = await ensureNetwork(plan());
  const a = await pod(network, 'a', { ports: [port(8081, { hostIP: '127.0.0.1' })] });
  await serve(a.netnsPath, ['tcp:80']);
  await serve('/proc/self/ns/net', ['tcp:7001']);
  const inLan = (...args: readonly string[]): string => run('nsenter', `--net=${lan}`, 'ip', ...args);
  inLan('route', 'add', '10.88.0.0/16', 'via', MACHINE.ipv4);
  inLan('-6', 'route', 'add', 'fd02::/64', 'via', MACHINE.ipv6);
  const routed = [dial(lan, 'tcp', a.ipv4, 80), dial(lan, 'tcp', a.ipv6 ?? '', 80)];
  loopbackVia(a.netnsPath, '10.88.0.1');
  loopbackVia(lan, MACHINE.ipv4);
  const seen = {
    routed,
    machineItself: dial(undefined, 'tcp', '127.0.0.1', 7001),
    podToLoopback: dial(a.netnsPath, 'tcp', '127.0.0.1', 7001),
    lanToLoopback: dial(lan, 'tcp', '127.0.0.1', 7001),
    lanToLoopbackPort: dial(lan, 'tcp', '127.0.0.1', 8081),
    acceptRa: run('cat', '/proc/sys/net/ipv6/conf/bt0/accept_ra', '/proc/sys/net/ipv6/conf/eth0/accept_ra')
      .trim()
      .split('\n'),
  };
  await removeNetwork(plan());
  return seen;
}

/** What cannot be, and that nothing is left of it. */
async function refusals(): Promise<unknown> {
  const small = plan({ ipv4Subnets: ['10.99.0.0/29'] });
  const network = await ensureNetwork(small);
  await serve('/proc/self/ns/net', ['tcp:7001', 'udp:7002']);
  await pod(network, 'first', { ports: [port(8080)] });
  const before = traces(directory);
  const failures = {
    'port of another pod': await failureOf(
      pod(network, 'x', { ports: [port(9000), port(8080, { hostIP: '127.0.0.1' })] }),
    ),
    'port of a program': await failureOf(pod(network, 'x', { ports: [port(7001)] })),
    'UDP port of a program': await failureOf(pod(network, 'x', { ports: [port(7002, { protocol: 'UDP' })] })),
    'address of another machine': await failureOf(pod(network, 'x', { ports: [port(9000, { hostIP: LAN.ipv4 })] })),
    'the same port twice': await failureOf(pod(network, 'x', { ports: [port(9000), port(9000)] })),
    'pod that is there': await failureOf(pod(network, 'first')),
    'sysctl value': await failureOf(pod(network, 'x', { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '70000' } })),
    'sysctl name': await failureOf(pod(network, 'x', { sysctls: { 'net.ipv4.no_such': '1' } })),
    'bridge that is gone': await failureOf(pod({ ...network, bridgeIndex: 4711 }, 'x')),
    uid: await failureOf(pod(network, '../x', { runDirectory: join(directory, 'pods', 'x') })),
  };
  const after = traces(directory);
  for (const uid of ['c', 'd', 'e', 'f']) await pod(network, uid);
  const full = await failureOf(pod(network, 'g'));
  await removeNetwork(small);
  return { failures, before, after, full };
}

/** Two agents on one machine, and routes that are there already. */
async function neighbours(): Promise<unknown> {
  run('ip', 'route', 'add', '10.88.3.0/24', 'via', LAN.ipv4);
  const one = plan({ ipv6: 'fd02::/64' });
  const two = planNetwork({ stateDirectory: join(directory, 'two'), bridge: 'bt1' });
  const [first, second] = [await ensureNetwork(one), await ensureNetwork(two)];
  const a = await pod(first, 'a', { ports: [port(8080)] });
  const b = await pod(second, 'b');
  await serve(a.netnsPath, ['tcp:80']);
  const seen = {
    subnets: [a.ipv4, b.ipv4, b.ipv6 ?? 'none'],
    straight: dial(b.netnsPath, 'tcp', a.ipv4, 80),
    published: dial(b.netnsPath, 'tcp', MACHINE.ipv4, 8080),
    sameBridge: await failureOf(ensureNetwork(planNetwork({ stateDirectory: join(directory, 'two'), bridge: 'bt0' }))),
    noSubnet: await failureOf(
      ensureNetwork(
        planNetwork({ stateDirectory: join(directory, 'three'), bridge: 'bt2', ipv4Subnets: ['10.88.0.0/16'] }),
      ),
    ),
  };
  await removeNetwork(two);
  const kept = dial(lan, 'tcp', MACHINE.ipv4, 8080);
  await removeNetwork(one);
  return { ...seen, kept, links: traces(directory)['links'] };
}
