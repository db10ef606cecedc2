// A machine for network tests: this process, in network and mount namespaces of its own, and a neighbour on its LAN.
//
//   lan 192.0.2.1, fd01::1 ─── eth0 192.0.2.2, fd01::2 (this process) ─── bridge ─── pods
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PEER = fileURLToPath(new URL('network-peer.ts', import.meta.url));
export const LAN = { ipv4: '192.0.2.1', ipv6: 'fd01::1' };
export const MACHINE = { ipv4: '192.0.2.2', ipv6: 'fd01::2' };
const children: ChildProcess[] = [];

/** Run a program of the machine. Returns what it prints; throws with what it complains about. */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export const json = (program: string, ...args: readonly string[]): unknown => JSON.parse(run(program, ...args) || '[]');

/** The neighbour: a network namespace that lives as long as its process. Returns its path. */
export async function makeLan(): Promise<string> {
  run('ip', 'link', 'set', 'lo', 'up');
  const pid = await serve(undefined, ['tcp:7000', 'udp:7000']);
  run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', String(pid));
  const netns = `/proc/${pid}/ns/net`;
  const inside = (...args: readonly string[]): string => run('nsenter', `--net=${netns}`, 'ip', ...args);
  inside('link', 'set', 'lan0', 'up');
  inside('addr', 'add', `${LAN.ipv4}/24`, 'dev', 'lan0');
  inside('-6', 'addr', 'add', `${LAN.ipv6}/64`, 'dev', 'lan0', 'nodad');
  run('ip', 'link', 'set', 'eth0', 'up');
  run('ip', 'addr', 'add', `${MACHINE.ipv4}/24`, 'dev', 'eth0');
  run('ip', '-6', 'addr', 'add', `${MACHINE.ipv6}/64`, 'dev', 'eth0', 'nodad');
  run('ip', 'route', 'add', 'default', 'via', LAN.ipv4);
  return netns;
}

/** Answer on ports in a namespace (undefined: a new one). Returns the pid once all are open. */
export async function serve(netns: string | undefined, ports: readonly string[]): Promise<number> {
  const enter = netns === undefined ? ['unshare', '--net'] : ['nsenter', `--net=${netns}`];
  const [program = '', ...args] = [...enter, process.execPath, PEER, 'serve', ...ports];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

/** Connect from a namespace (undefined: the machine's). Returns the address that the answering side saw. */
export function dial(netns: string | undefined, protocol: 'tcp' | 'udp', address: string, port: number): string {
  const dialing = [process.execPath, PEER, 'dial', protocol, address, String(port)];
  const [program = '', ...args] = netns === undefined ? dialing : ['nsenter', `--net=${netns}`, ...dialing];
  return run(program, ...args);
}

/** End every program that answers. */
export async function endServers(): Promise<void> {
  for (const child of children.splice(0)) {
    const exited = once(child, 'exit');
    child.stdin?.end();
    await exited;
  }
}

/** Everything of a network that can be left behind: devices, routes, tables, namespaces that are pinned, files. */
export function traces(directory: string): Readonly<Record<string, readonly string[]>> {
  const links = json('ip', '-j', 'link') as readonly { ifname: string }[];
  return {
    links: links.map(({ ifname }) => ifname).sort(),
    addresses: run('ip', '-br', 'addr')
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('eth0'))
      .map((line) => line.trim()),
    routes: [
      ...lines(run('ip', 'route')),
      ...lines(run('ip', '-6', 'route')).filter((line) => !line.startsWith('fe80')),
    ],
    ruleset: lines(run('/usr/sbin/nft', 'list', 'ruleset')),
    pins: lines(readFileSync('/proc/self/mountinfo', 'utf8')).filter((line) => line.includes(directory)),
    files: readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort(),
  };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
