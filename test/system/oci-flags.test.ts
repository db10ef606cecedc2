// The flags of berth-oci's commands: what they do to containers, and what is refused.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { cgroupsUnusable, until } from './in-cgroup.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { BERTH_OCI } from './engine-comparison.ts';
import { bundleConfig, writeBundle, type BundleConfig } from './oci-bundle.ts';
import { OciPeers, type Outcome } from './oci-peers.ts';

const unusable = containersUnusable() ?? cgroupsUnusable();
const usable = unusable === undefined ? test : test.skip;
const suffix = unusable === undefined ? '' : ` (skipped: ${unusable})`;
const peers = unusable === undefined ? new OciPeers() : undefined;
test.after.always('nothing is left', () => peers?.close());

let serial = 0;

function here(): OciPeers {
  if (peers === undefined) throw new Error(`These tests are skipped: ${unusable}`);
  return peers;
}

function berth(...args: readonly string[]): Promise<Outcome> {
  return here().call('berth', args);
}

type Made = { readonly id: string; readonly bundle: string };

function makeBundle(t: ExecutionContext, script: string, change = (config: BundleConfig): object => config): Made {
  serial += 1;
  const id = `flags-${serial}`;
  const bundle = join(here().bundles, id);
  writeBundle(bundle, bundleConfig(script, `${here().cgroupParent}/${id}`));
  const file = join(bundle, 'config.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as BundleConfig)));
  t.teardown(() => berth('delete', '--force', id));
  return { id, bundle };
}

async function running(t: ExecutionContext, script = 'sleep 1000', ...flags: readonly string[]): Promise<string> {
  const { id, bundle } = makeBundle(t, script);
  t.deepEqual(await berth('run', '-d', ...flags, '--bundle', bundle, id), { code: 0, output: '' });
  return id;
}

usable(`exec: user, groups, directory, variables, capability, privileges${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'sleep 1000', (config) => ({
    ...config,
    process: { ...config.process, env: ['PATH=/bin'] },
  }));
  t.is((await berth('run', '-d', '--bundle', bundle, id)).code, 0);
  const script = 'id -u; id -g; id -G; pwd; echo $A $B $HOME; grep -E "CapPrm|NoNew" /proc/self/status';
  const flags = ['-u', '1000:1000', '-g', '5', '--additional-gids', '6', '--cwd', '/tmp', '-e', 'A=1', '--env', 'B=2'];
  const { code, output } = await berth('exec', ...flags, '--no-new-privs', id, 'sh', '-c', script);
  t.is(code, 0);
  t.regex(output, /^1000\n1000\n1000 5 6\n\/tmp\n1 2 \/tmp\nCapPrm:\t0{16}\nNoNewPrivs:\t1\n$/);
  const raised = await berth('exec', '--cap', 'CAP_NET_ADMIN', id, 'grep', 'CapEff', '/proc/self/status');
  t.true((BigInt(`0x${raised.output.trim().split('\t')[1] ?? '0'}`) & (1n << 12n)) !== 0n);
});

usable(`exec: a process from a file, in the background, with a pid file${suffix}`, async (t) => {
  const id = await running(t);
  const file = join(here().directory, 'process.json');
  const process = {
    cwd: '/tmp',
    args: ['sh', '-c', 'pwd > /tmp/out; exec sleep 1000'],
    user: { uid: 0, gid: 0 },
    env: ['PATH=/bin'],
  };
  writeFileSync(file, JSON.stringify(process));
  const pidFile = join(here().directory, 'exec-pid');
  t.is((await berth('exec', '--process', file, '--detach', '--pid-file', pidFile, id)).code, 0);
  const pid = readFileSync(pidFile, 'utf8');
  t.regex(pid, /^\d+$/);
  await until(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\0'), 'it runs');
  t.is((await berth('exec', id, 'cat', '/tmp/out')).output, '/tmp\n');
  t.true((JSON.parse((await berth('ps', '-f', 'json', id)).output) as number[]).includes(Number(pid)));
  for (const wrong of ['{}', '{"args":["true"],"cwd":"tmp"}', 'nonsense']) {
    writeFileSync(file, wrong);
    t.is((await berth('exec', '-p', file, id)).code, 255);
  }
});

usable(`exec in a container that is created, paused, and stopped${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'sleep 1000');
  t.is((await berth('create', '-b', bundle, id)).code, 0);
  t.deepEqual(await berth('exec', id, 'echo', 'early'), { code: 0, output: 'early\n' });
  t.is((await berth('start', id)).code, 0);
  t.is((await berth('pause', id)).code, 0);
  const paused = await berth('exec', id, 'true');
  t.is(paused.code, 255);
  t.regex(paused.output, /cannot exec in a paused container/);
  t.regex((await berth('pause', id)).output, /container not running/);
  const waiting = await here().start('berth', ['exec', '--ignore-paused', id, 'echo', 'late']);
  await sleep(300);
  t.is(waiting.process.exitCode, null);
  t.is((await berth('resume', id)).code, 0);
  t.regex((await berth('resume', id)).output, /container not paused/);
  if (waiting.process.exitCode === null) await once(waiting.process, 'exit');
  t.is(readFileSync(waiting.outputFile, 'utf8'), 'late\n');
  t.is((await berth('kill', id, 'KILL')).code, 0);
  await stopped(id);
  t.regex((await berth('exec', id, 'true')).output, /cannot exec in a stopped container/);
  t.regex((await berth('kill', id)).output, /container not running/);
  t.is((await berth('kill', '--all', id, 'KILL')).code, 0);
});

async function stopped(id: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await berth('state', id)).output.includes('"stopped"')) return;
  }
  throw new Error(`${id} does not stop`);
}

usable(`exec in a sub-cgroup of the container${suffix}`, async (t) => {
  const id = await running(t);
  const own = readCgroupLayout()
    .hierarchies.map(({ mountPoint }) => `${mountPoint}${here().cgroupParent}/${id}`)
    .filter((directory) => existsSync(directory));
  for (const directory of own) mkdirSync(`${directory}/sub`);
  const { output } = await berth('exec', '--cgroup', 'sub', id, 'cat', '/proc/self/cgroup');
  t.true(
    output.split('\n').some((line) => /:(pids|):/.test(line) && line.endsWith('/sub')),
    output,
  );
  for (const [path, message] of [
    ['../..', /sub cgroup path/],
    ['nosuch:sub', /Unknown controller/],
    ['missing', /ENOENT/],
  ] as const) {
    const refused = await berth('exec', '--cgroup', path, id, 'true');
    t.is(refused.code, 255);
    t.regex(refused.output, message);
  }
});

usable(`preserved descriptors, and those of socket activation, keep their numbers${suffix}`, async (t) => {
  const script =
    'echo $LISTEN_FDS $LISTEN_PID; for fd in 3 4 5; do read -r word <&$fd && echo $word; done; ls /proc/self/fd | wc -l';
  const { id, bundle } = makeBundle(t, script);
  const run = ['run', '--bundle', bundle, '--preserve-fds', '2', id];
  t.deepEqual(await withDescriptors(run, { LISTEN_FDS: '1' }), { code: 0, output: '1 1\nthree\nfour\nfive\n7\n' });
  const other = await running(t);
  const exec = ['exec', '--preserve-fds', '3', other, 'sh', '-c', 'for fd in 3 4 5; do cat <&$fd; done'];
  t.deepEqual(await withDescriptors(exec, {}), { code: 0, output: 'three\nfour\nfive\n' });
  const missing = await withDescriptors(['exec', '--preserve-fds', '9', other, 'true'], {});
  t.is(missing.code, 255);
  t.regex(missing.output, /there are only 3/);
  const nothing = await withDescriptors(['exec', '--preserve-fds', '3', other, 'nope'], {});
  t.is(nothing.code, 255);
  t.regex(nothing.output, /executable file not found/);
});

/** Run berth-oci with three files open at 3, 4 and 5. */
async function withDescriptors(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const fds = ['three', 'four', 'five'].map((word) => {
    const file = join(here().directory, word);
    writeFileSync(file, `${word}\n`);
    return openSync(file, 'r');
  });
  const child = spawn(BERTH_OCI, ['--root', here().stateOf('berth'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
    env: { ...process.env, ...env },
  });
  for (const fd of fds) closeSync(fd);
  const ended = once(child, 'close') as Promise<[number]>;
  const [output, complaint] = await Promise.all([text(child.stdout as Readable), text(child.stderr as Readable)]);
  return { code: (await ended)[0], output: output + complaint };
}

usable(`update: flags before and after the id, a file, standard input, while paused${suffix}`, async (t) => {
  const id = await running(t);
  const limits = ['--memory', '64M', id, '--pids-limit', '77', '--cpu-share', '512'];
  t.deepEqual(await berth('update', ...limits), { code: 0, output: '' });
  const read = async (): Promise<string> => (await berth('exec', id, 'cat', ...files())).output;
  t.is(await read(), values(64, 77));
  const file = join(here().directory, 'limits.json');
  writeFileSync(file, JSON.stringify({ memory: { limit: 96 * 1024 * 1024 }, devices: [{ allow: false }] }));
  t.is((await berth('pause', id)).code, 0);
  t.is((await berth('update', '-r', file, id)).code, 0);
  t.is((await berth('resume', id)).code, 0);
  t.is(await read(), values(96, 77));
  const recorded = JSON.parse(
    readFileSync(join(here().stateOf('berth'), 'containers', id, 'config.json'), 'utf8'),
  ) as BundleConfig;
  t.deepEqual(recorded.linux.resources, {
    memory: { limit: 96 * 1024 * 1024 },
    pids: { limit: 77 },
    cpu: { shares: 512 },
  });
  t.is((await berth('exec', id, 'sh', '-c', 'echo x > /dev/null')).code, 0);
  t.is((await berth('update', '--memory', 'much', id)).code, 1);
});

/** Where this machine has the limits of memory and of processes, inside. */
function files(): readonly string[] {
  const v1 = readCgroupLayout().hierarchies.some(
    ({ version, controllers }) => version === 1 && controllers.includes('pids'),
  );
  const names = v1 ? ['memory/memory.limit_in_bytes', 'pids/pids.max'] : ['memory.max', 'pids.max'];
  return names.map((name) => `/sys/fs/cgroup/${name}`);
}

function values(mebibytes: number, pids: number): string {
  return `${mebibytes * 1024 * 1024}\n${pids}\n`;
}

usable(`events: numbers, an end of memory, and the end of the container${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'sleep 2; tail /dev/zero; sleep 1', (config) => ({
    ...config,
    linux: { ...config.linux, resources: { memory: { limit: 16 * 1024 * 1024 } } },
  }));
  t.is((await berth('run', '-d', '--bundle', bundle, id)).code, 0);
  const once = JSON.parse((await berth('events', '--stats', id)).output) as Event;
  t.is(once.type, 'stats');
  t.is(once.data?.memory?.usage?.limit, 16 * 1024 * 1024);
  t.true((once.data?.pids?.current ?? 0) > 0);
  const { code, output } = await berth('events', '--interval', '200ms', id);
  t.is(code, 0);
  const types = output
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Event).type);
  t.true(types.includes('stats') && types.includes('oom'), types.join());
  t.is((await berth('events', id)).code, 1);
});

type Event = {
  readonly type: string;
  readonly data?: {
    readonly memory?: { readonly usage?: { readonly limit: number } };
    readonly pids?: { readonly current: number };
  };
};

usable(`kill --all reaches every process; a program of its own session too${suffix}`, async (t) => {
  const id = await running(t, 'trap : TERM; setsid sleep 1000 & while :; do sleep 0.1; done');
  const sleeper = async (): Promise<string> => (await berth('ps', id, '-ef')).output;
  t.regex(await sleeper(), /:\d\d sleep 1000$/m);
  t.is((await berth('kill', '--all', id, 'SIGTERM')).code, 0);
  t.notRegex(await sleeper(), /:\d\d sleep 1000$/m);
  t.is((await berth('kill', id, 'SIGRTMIN+3')).code, 0);
});

usable(`run --keep leaves a stopped container; its log says what failed${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(t, 'exit 3');
  t.is((await berth('run', '--keep', '--bundle', bundle, id)).code, 3);
  t.is((JSON.parse((await berth('state', id)).output) as { status: string }).status, 'stopped');
  const log = join(here().directory, 'log.json');
  t.is((await berth('--log', log, '--log-format', 'json', 'start', id)).code, 1);
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  const last = JSON.parse(lines.at(-1) ?? '') as { level: string; msg: string; time: string };
  t.is(last.level, 'error');
  t.regex(last.msg, /Cannot start container/);
  t.false(Number.isNaN(Date.parse(last.time)));
});

usable(`without pivot_root, and in a session keyring of its own${suffix}`, async (t) => {
  const { id, bundle } = makeBundle(
    t,
    'ls / | tr "\\n" " "; grep -c " / / " /proc/self/mountinfo; cat /proc/keys | wc -l',
  );
  const { code, output } = await berth('run', '--no-pivot', '--no-new-keyring', '--bundle', bundle, id);
  t.is(code, 0);
  t.regex(output, /^bin dev etc proc root sys tmp var /);
});

usable(`spec, features, version and help${suffix}`, async (t) => {
  const directory = join(here().directory, 'spec');
  mkdirSync(directory);
  t.is((await berth('spec', '--bundle', directory)).code, 0);
  t.regex((await berth('spec', '--bundle', directory)).output, /exists: remove it first/);
  t.regex((await berth('spec', '--rootless')).output, /not supported/);
  const features = JSON.parse((await berth('features')).output) as { readonly mountOptions: readonly string[] };
  t.true(features.mountOptions.includes('rbind') && features.mountOptions.includes('rro'));
  t.regex((await berth('--version')).output, /^berth-oci version \d+\.\d+\.\d+\nspec: 1\.\d+\.\d+\n/);
  for (const command of ['create', 'run', 'exec', 'update', 'events', 'kill'])
    t.regex((await berth(command, '--help')).output, new RegExp(`^berth-oci \\[FLAGS\\] ${command} `));
  for (const command of ['checkpoint', 'restore']) t.regex((await berth(command, 'x')).output, /not supported/);
});
