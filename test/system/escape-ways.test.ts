// Ways that have led out of containers, tried from inside one of the default kind; and what a process that is put into it has.
import { readFileSync } from 'node:fs';

import { execInContainer } from '../../src/oci/runtime/exec.ts';
import { sceneTests } from './scene-tests.ts';

const { usable, suffix, here, running } = sceneTests();

/** Commands of which none may succeed. */
const WAYS: readonly string[] = [
  'mount -t tmpfs none /tmp',
  'mount --bind / /tmp',
  'mount -t proc none /tmp',
  'mount -t cgroup -o memory none /tmp',
  'mount -t sysfs none /tmp',
  'mount -o remount,rw /proc/sys',
  'umount /proc/keys',
  'umount -l /sys',
  'unshare -m true',
  'unshare -U true',
  'unshare -n true',
  'nsenter -t 1 -m true',
  'pivot_root / /tmp',
  'mknod /tmp/disk b 254 0',
  'mknod /dev/kmsg c 1 11',
  'losetup /dev/loop0 /tmp/x',
  'insmod /tmp/x',
  'dmesg',
  'swapon /tmp/x',
  'hostname other',
  'ip link set lo down',
  'ip link add d0 type dummy',
  'ping -c 1 127.0.0.1',
  'sysctl -w kernel.core_pattern=x',
  'sysctl -w net.ipv4.ip_forward=1',
  'echo x >>/proc/sysrq-trigger',
  'echo -1000 >/proc/self/oom_score_adj',
  'echo 1 >/sys/fs/cgroup/memory/notify_on_release',
  'echo /x >/sys/fs/cgroup/memory/release_agent',
  'mkdir /sys/fs/cgroup/pids/below',
  'cat /proc/kcore | head -c 1 | grep -q .',
  'cat /proc/1/root/proc/keys | grep -q .',
  'ls /proc/1/map_files/x',
  'renice -n -5 $$',
];

const attempts = (ways: readonly string[]): string => {
  const probes = ways.map((way, index) => `if (${way}) >/dev/null 2>&1; then echo ${index}; fi`);
  return `echo x >/tmp/x; ${probes.join('\n')}\necho done`;
};

usable(`no way out that is known is open${suffix}`, async (t) => {
  const output = await here().script(attempts(WAYS));
  const lines = output.trim().split('\n');
  t.is(lines.pop(), 'done');
  t.deepEqual(
    lines.map((line) => WAYS[Number(line)]),
    [],
  );
  // The test would notice: these do no harm where they are allowed.
  const harmless = attempts(WAYS.slice(0, 3));
  t.is(await here().script(harmless, { privileged: true }), '0\n1\n2\ndone\n');
});

usable(`what is put into a container has no more than its first process${suffix}`, async (t) => {
  const facts = `ls /proc/self/fd | wc -l; sed -n "/^\\(Cap\\|NoNew\\|Seccomp\\|Groups\\|Umask\\)/p" /proc/self/status
    cat /proc/self/cgroup; for kind in mnt pid uts ipc net cgroup user; do readlink /proc/self/ns/$kind; done; id; pwd`;
  const id = await running(t, { command: ['sh', '-c', `(${facts}) >/tmp/first; sleep 1000`] });
  const process = here().process(id, ['sh', '-c', `(${facts}) >/tmp/second; diff /tmp/first /tmp/second`]);
  const status = await execInContainer(here().runtime, { id, process, stdio: [0, 1, 2] });
  t.is(status.code, 0);
  t.is(readFileSync(here().logFile(id), 'utf8'), '');
});
