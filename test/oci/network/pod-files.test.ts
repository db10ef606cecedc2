import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { hostsFile } from '../../../src/oci/network/hosts-file.ts';
import { writePodFiles } from '../../../src/oci/network/pod-files.ts';
import {
  formatResolvConf,
  parseResolvConf,
  readHostResolvers,
  resolversForPod,
  withPodDns,
} from '../../../src/oci/network/resolv-conf.ts';

function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-files-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('a pod finds itself and its aliases in its hosts file', (t) => {
  const text = hostsFile({
    hostname: 'web-0',
    addresses: ['10.88.0.2', 'fd00::2'],
    aliases: [{ ip: '10.0.0.9', hostnames: ['db', 'db.local'] }],
  });
  const lines = text.split('\n');
  t.true(lines.includes('127.0.0.1\tlocalhost'));
  t.true(lines.includes('10.88.0.2\tweb-0'));
  t.true(lines.includes('fd00::2\tweb-0'));
  t.true(lines.includes('10.0.0.9\tdb\tdb.local'));
  t.true(text.endsWith('\n'));
});

test("on the machine's network the pod's name is on loopback", (t) => {
  t.true(hostsFile({ hostname: 'web-0', addresses: [] }).includes('127.0.1.1\tweb-0\n'));
});

for (const name of ['a b', 'a\n10.0.0.1 bank.example', '', '#']) {
  test(`${JSON.stringify(name)} cannot stand in a hosts file`, (t) => {
    t.throws(() => hostsFile({ hostname: name, addresses: [] }), { instanceOf: RangeError });
  });
}

test('resolv.conf is read as resolvers read it', (t) => {
  const text =
    '# c\nnameserver 10.0.0.1 ; why\n domain old.example\nsearch a.example b.example\noptions ndots:2\noptions rotate\nnameserver\nsortlist x\n';
  t.deepEqual(parseResolvConf(text), {
    nameservers: ['10.0.0.1'],
    search: ['a.example', 'b.example'],
    options: ['ndots:2', 'rotate'],
  });
});

test('what is written is read back the same', (t) => {
  const config = { nameservers: ['10.0.0.1', 'fd00::53'], search: ['a.example'], options: ['ndots:2'] };
  t.deepEqual(parseResolvConf(formatResolvConf(config)), config);
  t.is(formatResolvConf({ nameservers: [], search: ['.'], options: [] }), '');
});

test('only three servers are written: resolvers read no more', (t) => {
  const nameservers = ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'];
  t.is(formatResolvConf({ nameservers, search: [], options: [] }).split('\n').length, 4);
});

test("servers on the machine's loopback and links are out of a pod's reach", (t) => {
  const nameservers = [
    '127.0.0.53',
    '127.1.2.3',
    '0.0.0.0',
    '::1',
    '::',
    'fe80::1%eth0',
    'FE80::2',
    '10.0.0.1',
    'fd00::53',
    'nonsense',
  ];
  const host = { nameservers, search: ['x'], options: [] };
  t.deepEqual(resolversForPod(host, { ipv6: true }), { ...host, nameservers: ['10.0.0.1', 'fd00::53'] });
  t.deepEqual(resolversForPod(host, { ipv6: false }).nameservers, ['10.0.0.1']);
});

test('behind the stub of systemd-resolved its upstream servers are used', (t) => {
  const directory = temporaryDirectory(t);
  const files = { host: join(directory, 'resolv.conf'), resolved: join(directory, 'resolved.conf') };
  t.deepEqual(readHostResolvers(files).nameservers, []);
  writeFileSync(files.host, 'nameserver 127.0.0.53\nsearch stub.example\n');
  t.deepEqual(readHostResolvers(files).nameservers, ['127.0.0.53']);
  writeFileSync(files.resolved, 'nameserver 10.0.0.1\nsearch up.example\n');
  t.deepEqual(readHostResolvers(files), { nameservers: ['10.0.0.1'], search: ['up.example'], options: [] });
  writeFileSync(files.host, 'nameserver 10.9.9.9\n');
  t.deepEqual(readHostResolvers(files).nameservers, ['10.9.9.9']);
});

test('the three files are written for everybody to read', (t) => {
  const runDirectory = join(temporaryDirectory(t), 'pods', 'a');
  const resolvers = { nameservers: ['127.0.0.1', '10.0.0.1'], search: [], options: [] };
  const files = writePodFiles({
    runDirectory,
    hostname: 'web-0',
    addresses: { ipv4: '10.88.0.2', ipv6: undefined },
    resolvers,
  });
  t.is(readFileSync(files.hostname, 'utf8'), 'web-0\n');
  t.is(readFileSync(files.resolvConf, 'utf8'), 'nameserver 10.0.0.1\n');
  t.regex(readFileSync(files.hosts, 'utf8'), /^10\.88\.0\.2\tweb-0$/m);
  for (const path of Object.values(files)) t.is(statSync(path).mode & 0o777, 0o644);
});

test("a pod on the machine's network keeps the machine's resolvers", (t) => {
  const resolvers = { nameservers: ['127.0.0.53'], search: [], options: [] };
  const files = writePodFiles({ runDirectory: temporaryDirectory(t), hostname: 'h', addresses: undefined, resolvers });
  t.is(readFileSync(files.resolvConf, 'utf8'), 'nameserver 127.0.0.53\n');
});

test("a pod's own resolvers come after the machine's, and an option of the same name wins", (t) => {
  const machine = { nameservers: ['10.0.0.1'], search: ['a.example'], options: ['ndots:1', 'rotate'] };
  const dns = { nameservers: ['10.0.0.2'], searches: ['b.example'], options: ['ndots:5'] };
  t.deepEqual(withPodDns(machine, { ...dns, policy: 'Default' }), {
    nameservers: ['10.0.0.1', '10.0.0.2'],
    search: ['a.example', 'b.example'],
    options: ['ndots:5', 'rotate'],
  });
  t.deepEqual(withPodDns(machine, { ...dns, policy: 'None' }), {
    nameservers: ['10.0.0.2'],
    search: ['b.example'],
    options: ['ndots:5'],
  });
});
