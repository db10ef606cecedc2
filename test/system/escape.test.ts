// What a container of the default kind has, seen from its inside (SEC-43): anything more would be a way out.
import { chmodSync, chownSync, copyFileSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { hierarchyOf } from '../../src/linux/cgroup/layout.ts';
import { makedev, mknodat, S_IFBLK, S_IFCHR } from '../../src/linux/mknod.ts';
import { AT_FDCWD } from '../../src/linux/mount-flags.ts';
import { sceneTests } from './scene-tests.ts';

const { usable, suffix, here } = sceneTests();

/** CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT */
const DEFAULT_SET = '00000000000405fb';
const NONE = '0000000000000000';

/** Lines `name:\tvalue` of /proc/…/status. */
function fields(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^(\w+):[ \t]*(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

function assertFields(t: ExecutionContext, text: string, expected: Readonly<Record<string, string>>): void {
  const found = fields(text);
  t.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, found.get(name)])), expected);
}

usable(`root holds the default capabilities and no other, with a filter and no_new_privs${suffix}`, async (t) => {
  assertFields(t, await here().script('cat /proc/self/status'), {
    CapInh: NONE,
    CapPrm: DEFAULT_SET,
    CapEff: DEFAULT_SET,
    CapBnd: DEFAULT_SET,
    CapAmb: NONE,
    NoNewPrivs: '1',
    Seccomp: '2',
    Seccomp_filters: '1',
    Groups: '',
    Umask: '0022',
  });
});

usable(`another user holds none${suffix}`, async (t) => {
  const user = { uid: 1000, gid: 1000, additionalGids: [7] };
  assertFields(t, await here().script('cat /proc/self/status', { user }), {
    CapInh: NONE,
    CapPrm: NONE,
    CapEff: NONE,
    CapBnd: DEFAULT_SET,
    CapAmb: NONE,
    Uid: '1000\t1000\t1000\t1000',
    Gid: '1000\t1000\t1000\t1000',
    Groups: '7 ',
  });
});

usable(
  `no descriptor but the three streams comes along, and streams are not the host's terminal${suffix}`,
  async (t) => {
    const output = await here().script('ls /proc/1/fd; readlink /proc/1/fd/0; cat /proc/1/stat');
    const lines = output.split('\n');
    t.deepEqual(lines.slice(0, 4), ['0', '1', '2', '/']);
    // pid, name, state, parent, process group, session, terminal: a session of its own, without a terminal.
    t.deepEqual(lines[4]?.split(' ').slice(3, 7), ['0', '1', '1', '0']);
  },
);

usable(`every namespace is its own, but for the user's${suffix}`, async (t) => {
  const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts', 'user', 'time'];
  const output = await here().script(`for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`);
  const shared = output.split('\n').filter((link) => {
    const [kind = ''] = link.split(':');
    return kind !== '' && readlinkSync(`/proc/self/ns/${kind}`) === link;
  });
  t.deepEqual(
    shared.map((link) => link.split(':')[0]),
    ['user', 'time'],
  );
});

usable(`processes, host name and links of the machine are out of view${suffix}`, async (t) => {
  const script = 'hostname; ps -o pid,args | tail -n +2 | wc -l; ls /sys/class/net; ip addr show lo; ipcs -m | wc -l';
  const output = await here().script(script, { hostname: 'probe' });
  const [hostname, processes, links, ...address] = output.split('\n');
  t.is(hostname, 'probe');
  t.true(Number(processes) <= 5);
  t.is(links, 'lo');
  t.regex(address.join('\n'), /lo: <LOOPBACK,UP,LOWER_UP>[^]*inet 127\.0\.0\.1\/8/);
});

usable(`masked paths are empty, and stay so${suffix}`, async (t) => {
  const masked = here().config('x').linux?.maskedPaths ?? [];
  const script = `
    for path in ${masked.join(' ')}; do
      if [ -d $path ]; then
        [ "$(ls -A $path)" = "" ] || echo "$path is not empty"
        touch $path/x 2>/dev/null && echo "$path can be written"
      elif [ -e $path ]; then
        [ "$(stat -c %t:%T $path)" = 1:3 ] || echo "$path is not the null device"
        [ "$(wc -c <$path)" = 0 ] || echo "$path has content"
      fi
      umount $path 2>/dev/null && echo "$path was unmounted"
    done; echo done`;
  t.is(await here().script(script), 'done\n');
  t.true(masked.includes('/proc/keys'));
});

usable(`settings of the kernel cannot be written${suffix}`, async (t) => {
  const files = ['/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/irq/x'];
  const devices = ['/sys/kernel/uevent_helper', '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/power/state'];
  const script = `for file in ${[...files, ...devices].join(' ')}; do (: >>$file) 2>/dev/null && echo $file; done
    for path in /proc/bus /proc/fs /proc/irq /proc/sys /sys /sys/fs/cgroup; do
      mount -o remount,rw $path 2>/dev/null && echo remounted $path
    done; echo done`;
  t.is(await here().script(script), 'done\n');
});

const MOUNTS: readonly (readonly [point: RegExp, type: string, options: readonly string[]])[] = [
  [/^\/$/, 'overlay', ['rw', 'nodev']],
  [/^\/proc$/, 'proc', ['rw', 'nosuid', 'nodev', 'noexec']],
  [/^\/dev$/, 'tmpfs', ['rw', 'nosuid']],
  [/^\/dev\/pts$/, 'devpts', ['rw', 'nosuid', 'noexec']],
  [/^\/dev\/shm$/, 'tmpfs', ['rw', 'nosuid', 'nodev', 'noexec']],
  [/^\/dev\/mqueue$/, 'mqueue', ['rw', 'nosuid', 'nodev', 'noexec']],
  [/^\/sys$/, 'sysfs', ['ro', 'nosuid', 'nodev', 'noexec']],
  [/^\/sys\/fs\/cgroup$/, '(tmpfs|cgroup2)', ['ro', 'nosuid', 'nodev', 'noexec']],
  [/^\/sys\/fs\/cgroup\/[a-z,_]+$/, 'cgroup', ['ro', 'nosuid', 'nodev', 'noexec']],
  [/^\/proc\/(bus|fs|irq|sys|sysrq-trigger)$/, 'proc', ['ro', 'nosuid', 'nodev', 'noexec']],
  [/^\/(proc|sys)\/.*(acpi|asound|scsi|firmware|powercap|thermal_throttle)$/, 'tmpfs', ['ro', 'nosuid', 'nodev']],
  [/^\/proc\/(interrupts|kcore|keys|latency_stats|sched_debug|timer_list|timer_stats)$/, '(devtmpfs|tmpfs)', []],
];

usable(`nothing is mounted but what belongs into a container, each with its options${suffix}`, async (t) => {
  const lines = (await here().script('cat /proc/self/mountinfo')).trim().split('\n');
  for (const line of lines) {
    const words = line.split(' ');
    const [, , , root, point = '', options = ''] = words;
    const type = words[words.indexOf('-') + 1] ?? '';
    const known = MOUNTS.find(([pattern]) => pattern.test(point));
    t.truthy(known, line);
    if (known === undefined) continue;
    t.regex(type, new RegExp(`^${known[1]}$`), line);
    const has = new Set(options.split(','));
    for (const option of known[2]) t.true(has.has(option), `${line}: no ${option}`);
    t.true(root === '/' || point.startsWith('/proc/'), line);
    t.false(
      words.some((word) => /^(shared|master):/.test(word)),
      line,
    );
  }
  for (const [pattern] of MOUNTS.slice(0, 8)) t.true(lines.some((line) => pattern.test(line.split(' ')[4] ?? '')));
});

usable(`/dev has the default devices and links, and nothing else${suffix}`, async (t) => {
  const nodes = '/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty';
  const links = '/dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx';
  const output = await here().script(
    `ls /dev; stat -c '%n %F %t:%T %a' ${nodes}; for l in ${links}; do readlink $l; done`,
  );
  t.deepEqual(output.trim().split('\n'), [
    'fd',
    'full',
    'mqueue',
    'null',
    'ptmx',
    'pts',
    'random',
    'shm',
    'stderr',
    'stdin',
    'stdout',
    'tty',
    'urandom',
    'zero',
    '/dev/null character special file 1:3 666',
    '/dev/zero character special file 1:5 666',
    '/dev/full character special file 1:7 666',
    '/dev/random character special file 1:8 666',
    '/dev/urandom character special file 1:9 666',
    '/dev/tty character special file 5:0 666',
    '/proc/self/fd',
    '/proc/self/fd/0',
    '/proc/self/fd/1',
    '/proc/self/fd/2',
    'pts/ptmx',
  ]);
});

usable(`a device node in an image's layer cannot be opened, nor can one be made${suffix}`, async (t) => {
  const layer = join(here().directory, 'device-layer');
  mkdirSync(join(layer, 'nodes'), { recursive: true });
  mknodat(AT_FDCWD, join(layer, 'nodes/zero'), S_IFCHR | 0o666, makedev(1, 5));
  mknodat(AT_FDCWD, join(layer, 'nodes/disk'), S_IFBLK | 0o666, makedev(254, 0));
  const script = `for node in zero disk; do
      head -c 1 /nodes/$node >/dev/null 2>&1 && echo "$node was read"
    done; mknod /tmp/kmsg c 1 11 2>/dev/null && echo "a node was made"
    head -c 1 /dev/zero | wc -c`;
  const id = here().newId();
  const { output } = await here().run(here().request(id, { command: ['sh', '-c', script] }, { layers: [layer] }));
  t.is(output, '1\n');
});

usable(`a container sees its own limits${suffix}`, async (t) => {
  const { cgroups } = here().runtime;
  const v1 = hierarchyOf(cgroups, 'memory')?.version === 1;
  const files = v1
    ? ['memory/memory.limit_in_bytes', 'pids/pids.max', 'cpu/cpu.cfs_quota_us', 'cpu/cpu.shares']
    : ['memory.max', 'pids.max', 'cpu.max', 'cpu.weight'];
  const output = await here().script(`cd /sys/fs/cgroup; cat ${files.join(' ')}; cat /proc/self/cgroup`);
  const [memory, pids, quota, shares, ...paths] = output.trim().split('\n');
  t.is(memory, String(64 * 1024 * 1024));
  t.is(pids, '100');
  t.regex(quota ?? '', /^50000( 100000)?$/);
  t.regex(shares ?? '', v1 ? /^512$/ : /^\d+$/);
  for (const path of paths) t.regex(path, /:\/$/);
});

usable(`the null device of the machine is out of reach${suffix}`, async (t) => {
  const before = statSync('/dev/null');
  // An error below changes the mode of this machine's /dev/null: put it back, whatever happens.
  t.teardown(() => {
    chmodSync('/dev/null', before.mode);
    chownSync('/dev/null', before.uid, before.gid);
  });
  const script = `for file in /proc/self/fd/0 /proc/keys /proc/timer_list /proc/kcore /dev/null; do
      chmod 600 $file; chown 1:1 $file
    done 2>/dev/null; echo done`;
  t.is(await here().script(script), 'done\n');
  const after = statSync('/dev/null');
  t.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
});

/** busybox's crontab says so when it runs for another user than root without being set-user-id. */
const POWERLESS = /must be suid/;

usable(`a set-user-id program of root gives nothing to another user${suffix}`, async (t) => {
  const layer = join(here().directory, 'setuid-layer');
  mkdirSync(join(layer, 'setuid'), { recursive: true });
  copyFileSync('/bin/busybox', join(layer, 'setuid/crontab'));
  chmodSync(join(layer, 'setuid/crontab'), 0o4755);
  const options = { command: ['/setuid/crontab', '-l'], user: { uid: 1000, gid: 1000 } };
  t.regex((await here().run(here().request(here().newId(), options, { layers: [layer] }))).output, POWERLESS);
  const changed = here().request(here().newId(), { ...options, noNewPrivileges: false }, { layers: [layer] });
  t.notRegex((await here().run(changed)).output, POWERLESS); // the test would notice
});
