// What a container is given that asks for more: a privileged one all there is, another one what it asked for and no more.
import { readlinkSync } from 'node:fs';

import { boundingCapabilities, capabilityMask } from '../../src/linux/capability.ts';
import { hierarchyOf } from '../../src/linux/cgroup/layout.ts';
import { DEFAULT_CAPABILITIES } from '../../src/oci/runtime/defaults.ts';
import { sceneTests } from './scene-tests.ts';

const { usable, suffix, here } = sceneTests();
const STATUS = 'sed -n "s/^\\(Cap...\\|NoNewPrivs\\|Seccomp\\):.//p" /proc/self/status';

const hex = (mask: bigint): string => mask.toString(16).padStart(16, '0');
const NONE = hex(0n);

usable(`a privileged container holds every capability that there is, without a filter${suffix}`, async (t) => {
  const all = hex(boundingCapabilities());
  const output = await here().script(STATUS, { privileged: true });
  t.deepEqual(output.trim().split('\n'), [NONE, all, all, all, NONE, '0', '0']);
});

usable(`a privileged container can mount, write settings and make devices${suffix}`, async (t) => {
  const script = `mkdir /tmp/m; mount -t tmpfs none /tmp/m && echo mounted
    (: >>/proc/sys/kernel/core_pattern) && echo writable
    grep -c " /proc/" /proc/mounts; grep " /sys " /proc/mounts | cut -d" " -f4 | cut -d, -f1
    mknod /dev/kmsg2 c 1 11 && head -c 1 /dev/kmsg2 | wc -c`;
  const output = await here().script(script, { privileged: true });
  t.deepEqual(output.trim().split('\n'), ['mounted', 'writable', '0', 'rw', '1']);
});

usable(`a privileged container is still one: its namespaces, limits and root are its own${suffix}`, async (t) => {
  const v1 = hierarchyOf(here().runtime.cgroups, 'pids')?.version === 1;
  const script = `for kind in mnt pid uts ipc net; do readlink /proc/self/ns/$kind; done
    cat /sys/fs/cgroup/${v1 ? 'pids/' : ''}pids.max; ls /`;
  const output = await here().script(script, { privileged: true });
  const [mnt, pid, uts, ipc, net, pids, ...root] = output.trim().split('\n');
  for (const link of [mnt, pid, uts, ipc, net]) t.not(readlinkSync(`/proc/self/ns/${link?.split(':')[0]}`), link);
  t.is(pids, '100');
  t.deepEqual(root, ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'var']);
});

usable(`an added capability is there, a dropped one is gone, the filter stays${suffix}`, async (t) => {
  const options = { capabilitiesAdd: ['NET_RAW'], capabilitiesDrop: ['KILL', 'CHOWN'] };
  const names = DEFAULT_CAPABILITIES.filter((name) => name !== 'CAP_KILL' && name !== 'CAP_CHOWN');
  const set = hex(capabilityMask([...names, 'CAP_NET_RAW']));
  const output = await here().script(`${STATUS}; ping -c 1 -W 1 127.0.0.1 | grep -c "1 packets received"`, options);
  t.deepEqual(output.trim().split('\n'), [NONE, set, set, set, NONE, '1', '2', '1']);
});

usable(`without any capability a program still runs${suffix}`, async (t) => {
  const output = await here().script(STATUS, { capabilitiesDrop: ['ALL'] });
  t.deepEqual(output.trim().split('\n'), [NONE, NONE, NONE, NONE, NONE, '1', '2']);
});

usable(`an unconfined container has no filter, and is confined by the rest${suffix}`, async (t) => {
  const output = await here().script(`${STATUS}; (: >>/proc/sys/kernel/core_pattern) 2>&1 | grep -c Read-only`, {
    seccomp: 'unconfined',
  });
  t.deepEqual(output.trim().split('\n').slice(5), ['1', '0', '1']);
});

usable(`a read-only root takes no write, its volumes and /dev/shm do${suffix}`, async (t) => {
  const script = `touch /x 2>&1; touch /tmp/x && echo volume; touch /dev/shm/x && echo shm
    mount -o remount,rw / 2>/dev/null && echo remounted; echo x >/dev/null && echo null`;
  const mounts = [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] }];
  const output = await here().script(script, { readonlyRootfs: true, mounts });
  t.deepEqual(output.trim().split('\n'), ['touch: /x: Read-only file system', 'volume', 'shm', 'null']);
});

usable(`a read-only volume stays so, with all that is mounted in it${suffix}`, async (t) => {
  const options = ['rbind', 'rprivate', 'rro'];
  const mounts = [{ destination: '/data', type: 'bind', source: here().directory, options }];
  const script = 'touch /data/x 2>&1; mount -o remount,bind,rw /data 2>/dev/null && echo remounted; ls -d /data/layer';
  const output = await here().script(script, { mounts });
  t.deepEqual(output.trim().split('\n'), ['touch: /data/x: Read-only file system', '/data/layer']);
});

usable(`the host's network is the host's, and cannot be changed${suffix}`, async (t) => {
  const script = 'readlink /proc/self/ns/net; ip link set lo down 2>&1; (: >>/proc/sys/net/ipv4/ip_forward) 2>&1; true';
  const output = await here().script(script, { network: 'host' });
  t.true(output.startsWith(`${readlinkSync('/proc/self/ns/net')}\n`), output);
  t.regex(output, /Operation not permitted/);
  t.regex(output, /ip_forward: Read-only file system/);
});
