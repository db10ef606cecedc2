import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { CommandFailure } from '../../src/cli/failure.ts';
import {
  commandLine,
  parseLimits,
  parseMemory,
  parseNetwork,
  parsePort,
  parseVariable,
  parseVolume,
} from '../../src/cli/run-options.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-run-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const PORTS = [
  ['8080:80', { hostPort: 8080, containerPort: 80, hostIP: undefined, protocol: 'TCP' }],
  ['127.0.0.1:53:53/udp', { hostPort: 53, containerPort: 53, hostIP: '127.0.0.1', protocol: 'UDP' }],
  ['[::1]:8080:80/SCTP', { hostPort: 8080, containerPort: 80, hostIP: '::1', protocol: 'SCTP' }],
] as const;

for (const [text, port] of PORTS) {
  test(`-p ${text}`, (t) => {
    t.deepEqual(parsePort(text), port);
  });
}

for (const text of ['', '80', '0:80', '80:65536', 'host:80:80', '80:80/icmp', '1.2.3:80:80', '80:80:80:80', '-1:80']) {
  test(`-p '${text}' is refused`, (t) => {
    t.throws(() => parsePort(text), { instanceOf: CommandFailure });
  });
}

test('a volume is a bind mount of a path that is there', (t) => {
  t.deepEqual(parseVolume(`${directory}:/data:ro`), {
    destination: '/data',
    type: 'bind',
    source: directory,
    options: ['rbind', 'rprivate', 'rro'],
  });
  t.deepEqual(parseVolume('.:/data').source, process.cwd());
});

for (const text of ['/tmp', 'name:/data', '/tmp:data', '/tmp:/data:rx', '/tmp:/data:ro:x', ':/data']) {
  test(`-v '${text}' is refused`, (t) => {
    t.throws(() => parseVolume(text), { instanceOf: CommandFailure, message: /is not a volume/ });
  });
}

test('a volume whose source is missing is refused, not made', (t) => {
  t.throws(() => parseVolume(`${directory}/missing:/data`), { message: /there is no such file or directory/ });
});

test('a variable is set, or taken from here when it is here', (t) => {
  t.deepEqual(parseVariable('A=1=2', {}), ['A=1=2']);
  t.deepEqual(parseVariable('A=', {}), ['A=']);
  t.deepEqual(parseVariable('A', { A: 'x' }), ['A=x']);
  t.deepEqual(parseVariable('A', {}), []);
  t.throws(() => parseVariable('=x', {}), { instanceOf: CommandFailure });
});

test('the network is bridge unless said otherwise', (t) => {
  t.is(parseNetwork(undefined), 'bridge');
  t.is(parseNetwork('none'), 'none');
  t.throws(() => parseNetwork('overlay'), { instanceOf: CommandFailure });
});

const SIZES = [
  ['1024', 1024],
  ['512m', 512 * 1024 ** 2],
  ['1G', 1024 ** 3],
  ['1.5g', 1.5 * 1024 ** 3],
  ['64MiB', 64 * 1024 ** 2],
  ['10kb', 10_240],
] as const;

for (const [text, bytes] of SIZES) {
  test(`a memory limit of ${text} is ${bytes} bytes`, (t) => {
    t.is(parseMemory(text), bytes);
  });
}

for (const text of ['', '0', '-1', 'm', '1x', '1e9', '1 g', '99999999999999999999']) {
  test(`a memory limit of '${text}' is refused`, (t) => {
    t.throws(() => parseMemory(text), { instanceOf: CommandFailure });
  });
}

test('limits become what the control groups take', (t) => {
  t.deepEqual(parseLimits({ memory: '1m', cpus: '1.5', pids: '10' }), {
    memory: { limit: 1_048_576 },
    cpu: { quota: 150_000, period: 100_000 },
    pids: { limit: 10 },
  });
  t.deepEqual(parseLimits({ memory: undefined, cpus: undefined, pids: undefined }), { pids: { limit: 4096 } });
  t.is(parseLimits({ memory: undefined, cpus: '0.001', pids: undefined }).cpu?.quota, 1000);
  for (const cpus of ['0', '-1', 'x', '1e3']) {
    t.throws(() => parseLimits({ memory: undefined, cpus, pids: undefined }), { instanceOf: CommandFailure });
  }
  for (const pids of ['0', '-1', 'x', '1.5']) {
    t.throws(() => parseLimits({ memory: undefined, cpus: undefined, pids }), { instanceOf: CommandFailure });
  }
});

test('words behind the image replace its Cmd, --entrypoint its Entrypoint, an empty one both', (t) => {
  t.deepEqual(commandLine(undefined, []), {});
  t.deepEqual(commandLine(undefined, ['ls', '-l']), { args: ['ls', '-l'] });
  t.deepEqual(commandLine('sh', ['-c', 'ls']), { command: ['sh'], args: ['-c', 'ls'] });
  t.deepEqual(commandLine('', ['ls']), { command: ['ls'] });
});
