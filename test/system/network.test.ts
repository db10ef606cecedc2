// Pods in bridge networks, with real traffic. Every scenario runs in network and mount namespaces of its own, so nothing of
// the machine is touched; network-scenarios.ts says what happens, this file what must be seen.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';

const SCENARIOS = fileURLToPath(new URL('network-scenarios.ts', import.meta.url));
const ISOLATED = ['--net', '--mount', '--propagation', 'private'];
const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  if (spawnSync('unshare', [...ISOLATED, 'true']).status !== 0) return 'unshare(1) cannot make namespaces here';
  return ['ip', '/usr/sbin/nft', 'nsenter']
    .find((program) => spawnSync(program, ['--version']).error !== undefined)
    ?.concat(' is missing');
}

const reason = missing();
const usable = reason === undefined ? test : test.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

type Seen = Readonly<Record<string, unknown>>;
type Traces = Readonly<Record<'links' | 'addresses' | 'routes' | 'ruleset' | 'pins' | 'files', readonly string[]>>;

async function play(t: ExecutionContext, scenario: string): Promise<Seen> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-network-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const args = [...ISOLATED, process.execPath, SCENARIOS, scenario, directory];
  const { stdout } = await promisify(execFile)('unshare', args, { maxBuffer: 1 << 24 });
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(directory), 'no mount is left on the machine');
  t.false(
    execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' }).includes('bt0'),
    'no bridge is left on the machine',
  );
  return JSON.parse(stdout) as Seen;
}

/** Without what only says where the next search for a free address begins, and the tests' own directories. */
function traces(value: unknown): Traces {
  const found = value as Traces;
  return { ...found, files: found.files.filter((file) => !file.includes('/.last') && !/^pods(\/[^/]+)?$/.test(file)) };
}

usable(`a pod has the addresses, routes and files that it was promised${skipped}`, async (t) => {
  const { pod, podAddresses, podRoutes, machine, network, ipc } = await play(t, 'shape');
  t.like(pod, { ipv4: '10.88.0.2', ipv6: 'fd02::2' });
  t.like(network, { bridge: 'bt0', mtu: 1500, same: true });
  const [lo, eth0] = podAddresses as readonly {
    ifname: string;
    mtu: number;
    address: string;
    flags: string[];
    addr_info: { local: string }[];
  }[];
  t.deepEqual([lo?.ifname, lo?.flags.includes('UP')], ['lo', true]);
  t.like(eth0, { ifname: 'eth0', mtu: 1500, address: '02:be:0a:58:00:02' });
  t.deepEqual(
    eth0?.addr_info.map(({ local }) => local),
    ['10.88.0.2', 'fd02::2', 'fe80::be:aff:fe58:2'],
  );
  t.like(podRoutes, {
    0: { 0: { dst: 'default', gateway: '10.88.0.1' } },
    1: { 0: { dst: 'default', gateway: 'fd02::1' } },
  });
  const links = machine as readonly { ifname: string; ifalias?: string; master?: string; operstate: string }[];
  t.like(
    links.find(({ ifalias }) => ifalias === 'berth pod a'),
    { master: 'bt0', operstate: 'UP' },
  );
  t.true(links.some(({ ifname, ifalias }) => ifname === 'bt0' && ifalias?.endsWith('/network/default')));
  t.true(ipc, 'the pod has an IPC namespace of its own');
});

usable(`the rules read in nft as they were meant${skipped}`, async (t) => {
  const { ruleset } = await play(t, 'shape');
  const text = String(ruleset);
  for (const rule of [
    'elements = { tcp . 8080 comment "a" : 10.88.0.2 . 80 }',
    'elements = { 127.0.0.1 . tcp . 8081 comment "a" : 10.88.0.2 . 80 }',
    'elements = { tcp . 8080 comment "a" : fd02::2 . 80 }',
    'iifname "bt0" ip daddr 127.0.0.0/8 drop',
    'fib daddr type local dnat ip to meta l4proto . th dport map @ports4',
    'dnat ip6 to ip6 daddr . meta l4proto . th dport map @addressports6',
    'oifname "bt0" ct status dnat accept',
    'ip saddr 10.88.0.0/16 oifname != "bt0" masquerade',
    'ip6 saddr fd02::/64 oifname != "bt0" masquerade',
  ]) {
    t.true(text.includes(rule), rule);
  }
});

usable(`to ensure a network again changes nothing, and to remove it leaves nothing${skipped}`, async (t) => {
  const { untouched, before, after } = await play(t, 'shape');
  t.true(untouched);
  t.deepEqual(traces(after), traces(before));
});

/** Who saw whom, the same whether bridged frames pass netfilter or not. */
const TRAFFIC = {
  // Pods see each other as they are; the world sees the machine.
  'a tcp 10.88.0.3 80': '10.88.0.2',
  'a tcp fd02::3 80': 'fd02::2',
  'a tcp 192.0.2.1 7000': '192.0.2.2',
  'a udp 192.0.2.1 7000': '192.0.2.2',
  'a tcp fd01::1 7000': 'fd01::2',
  'machine tcp 10.88.0.2 80': '10.88.0.1',
  // Published ports: a pod sees the client from outside as it is.
  'lan tcp 192.0.2.2 8080': '192.0.2.1',
  'lan tcp fd01::2 8080': 'fd01::1',
  'lan tcp 192.0.2.2 8081': 'refused',
  'lan tcp 192.0.2.2 8082': '192.0.2.1',
  'lan udp 192.0.2.2 5300': '192.0.2.1',
  'machine tcp 192.0.2.2 8080': '192.0.2.2',
  'machine tcp fd01::2 8080': 'fd01::2',
  'machine tcp 192.0.2.2 8081': 'refused',
  'machine tcp 192.0.2.2 8082': '192.0.2.2',
  'machine udp 192.0.2.2 5300': '192.0.2.2',
  // A pod reaches its own published port, and that of another.
  'a tcp 192.0.2.2 8080': '10.88.0.1',
  'a tcp fd01::2 8080': 'fd02::1',
  'a tcp 192.0.2.2 8081': 'refused',
  'a tcp 192.0.2.2 8082': '10.88.0.1',
  'a udp 192.0.2.2 5300': '10.88.0.1',
  'b tcp 192.0.2.2 8080': '10.88.0.1',
  'b tcp fd01::2 8080': 'fd02::1',
  'b tcp 192.0.2.2 8081': 'refused',
  'b tcp 192.0.2.2 8082': '10.88.0.1',
  'b udp 192.0.2.2 5300': '10.88.0.1',
  // Loopback of the machine; ::1 cannot be forwarded, and says so at once.
  'machine tcp 127.0.0.1 8080': '10.88.0.1',
  'machine tcp 127.0.0.1 8081': '10.88.0.1',
  'machine tcp 127.0.0.1 8082': 'refused',
  'machine udp 127.0.0.1 5300': '10.88.0.1',
  'machine tcp ::1 8080': 'refused',
};

usable(`everybody reaches what they should, as whom they should${skipped}`, async (t) => {
  t.deepEqual(await play(t, 'traffic'), { seen: TRAFFIC, gone: 'refused' });
});

const unbridged = existsSync(BRIDGE_FILTER) ? usable : test.skip;
unbridged('traffic is the same where bridged frames do not pass netfilter', async (t) => {
  t.deepEqual(await play(t, 'traffic-unbridged'), { seen: TRAFFIC, gone: 'refused' });
});

usable(`there is no way around the published ports, nor to the loopback of the machine${skipped}`, async (t) => {
  t.deepEqual(await play(t, 'attacks'), {
    routed: ['blocked', 'blocked'],
    machineItself: '127.0.0.1',
    podToLoopback: 'blocked',
    lanToLoopback: 'blocked',
    lanToLoopbackPort: 'blocked',
    // The bridge takes no router from a pod; the machine keeps its own while it forwards.
    acceptRa: ['0', '2'],
  });
});

usable(`what cannot be is refused in words, and leaves nothing${skipped}`, async (t) => {
  const { failures, before, after, full } = await play(t, 'refusals');
  const expected: Readonly<Record<string, RegExp>> = {
    'port of another pod': /^PORT_IN_USE: Cannot publish port 8080\/TCP: pod first has it$/,
    'port of a program': /^PORT_IN_USE: Cannot publish port 7001\/TCP: a program on this machine uses it/,
    'UDP port of a program': /^PORT_IN_USE: Cannot publish port 7002\/UDP: a program on this machine uses it/,
    'address of another machine':
      /^PORT_INVALID: Cannot publish port 192\.0\.2\.1:9000\/TCP: not an address of this machine$/,
    'the same port twice': /^PORT_INVALID: Cannot publish port 9000\/TCP: pod x asks for it twice$/,
    'pod that is there': /^NETWORK_CONFLICT: Pod first has a place in network 'default' already$/,
    'sysctl value': /^NETWORK_FAILED: .*write '70000' to .*ip_unprivileged_port_start: EINVAL$/,
    'sysctl name': /^NETWORK_FAILED: .*open \/proc\/sys\/net\/ipv4\/no_such: ENOENT$/,
    'bridge that is gone': /^NETWORK_FAILED: Cannot plug in link bv[0-9a-f]{12}: E/,
    uid: /^NETWORK_INVALID: '\.\.\/x' is not a pod's uid$/,
  };
  const said = failures as Readonly<Record<string, string>>;
  t.deepEqual(Object.keys(said), Object.keys(expected));
  for (const [what, message] of Object.entries(expected)) t.regex(said[what] ?? '', message, what);
  t.deepEqual(traces(after), traces(before));
  t.false((after as Traces).files.includes('pods/x'), 'a run directory that was made for the pod is gone');
  t.regex(String(full), /^ADDRESSES_EXHAUSTED: .* all of 10\.99\.0\.0\/29 are in use$/);
});

usable(`what others and crashes break is mended${skipped}`, async (t) => {
  const { after, ...seen } = await play(t, 'repair');
  t.deepEqual(seen, {
    atFirst: '192.0.2.1',
    flushed: ['refused', '192.0.2.1'],
    'without its port': ['refused', '192.0.2.1'],
    'without its bridge': ['blocked', '192.0.2.1'],
    // The cable that no pod has is gone; what somebody else plugged in stays.
    left: ['mine0'],
    records: [
      'network/default/addresses/10.88.0.2',
      'network/default/addresses/fd02::2',
      'network/default/pods/a.json',
    ],
    pod: '10.88.0.2',
  });
  t.deepEqual(traces(after).links, ['eth0', 'ine0-peer', 'lo', 'mine0']);
  t.deepEqual([traces(after).ruleset, traces(after).pins, traces(after).files], [[], [], []]);
});

usable(`two agents on one machine keep apart, and away from routes that are there${skipped}`, async (t) => {
  t.like(await play(t, 'neighbours'), {
    subnets: ['10.89.0.2', '10.90.0.2', 'none'],
    straight: 'blocked',
    published: '10.89.0.1',
    kept: '192.0.2.1',
    links: ['eth0', 'lo'],
  });
});

usable(`a bridge of another agent, and a machine without a free subnet, are said so${skipped}`, async (t) => {
  const { sameBridge, noSubnet } = await play(t, 'neighbours');
  t.regex(
    String(sameBridge),
    /^NETWORK_CONFLICT: Cannot use bridge bt0: that device belongs to another agent: 'berth .*'; choose another name$/,
  );
  t.regex(String(noSubnet), /^NETWORK_CONFLICT: No subnet is free .* routes into each of 10\.88\.0\.0\/16$/);
});

usable(`two processes make thirty pods at once, each with an address and a cable of its own${skipped}`, async (t) => {
  const { addresses, unplugged, after } = await play(t, 'crowd');
  t.is(addresses, 30);
  t.deepEqual(unplugged, []);
  t.deepEqual(traces(after).pins, []);
});

usable(`what a killed process leaves is found and removed${skipped}`, async (t) => {
  const { killed, made, rest, before, after } = await play(t, 'crashes');
  t.deepEqual({ killed, made, rest }, { killed: 12, made: true, rest: [] });
  t.deepEqual(traces(after), traces(before));
});
