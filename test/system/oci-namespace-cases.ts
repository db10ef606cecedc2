// Namespaces: new ones, joined ones, none; mappings and offsets; and how the process is scheduled.
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { IdMapping, Linux, NamespaceType } from '../../src/oci/runtime/config.ts';
import { linux, process, type Case, type Change } from './oci-case.ts';
import type { BundleConfig } from './oci-bundle.ts';
import { makeBusyboxRoot } from './busybox-bundle.ts';

const FIRST = 100_000;
const MAPPINGS: readonly IdMapping[] = [{ containerID: 0, hostID: FIRST, size: 65_536 }];
const OLD_RUNC =
  'runc 1.1 knows neither time namespaces nor schedulers, I/O priorities, personalities or memory policies';
const OLD_CRUN = 'crun 1.8 knows neither schedulers nor I/O priorities nor memory policies';
const failure: Pick<Case, 'codes' | 'normal'> = { codes: 'failure', normal: () => '' };

/** With a namespace of this type as well, or instead of the one there is. */
function namespace(type: NamespaceType, path?: string): (config: BundleConfig) => BundleConfig {
  return (config) => {
    const others = (config.linux.namespaces ?? []).filter((each) => each.type !== type);
    const namespaces = [...others, path === undefined ? { type } : { type, path }];
    return { ...config, linux: { ...config.linux, namespaces } };
  };
}

/** In a user namespace, with a root that belongs to it. */
function userNamespace(more: Partial<Linux> = {}): Change {
  return (config, directory) => {
    const rootfs = join(directory, 'rootfs');
    makeBusyboxRoot(rootfs);
    for (const name of ['', ...readdirSync(rootfs)]) chownSync(join(rootfs, name), FIRST, FIRST);
    const mapped = { uidMappings: MAPPINGS, gidMappings: MAPPINGS, ...more };
    return linux(mapped)(namespace('user')(config), directory);
  };
}

/** By what they are about. */
export const NAMESPACE_CASES: Readonly<Record<string, Case>> = {
  'a user namespace': {
    script:
      'cat /proc/self/uid_map /proc/self/gid_map; id; grep "^Cap\\|^Groups" /proc/self/status; touch /new; stat -c %u:%g /new',
    change: userNamespace(),
  },
  'another user in a user namespace': {
    script: 'id; grep "^Cap\\|^Groups" /proc/self/status',
    change: (config, directory) =>
      process({ user: { uid: 1000, gid: 1000, additionalGids: [10] } })(userNamespace()(config, directory), directory),
  },
  'mappings in several parts': {
    script: 'cat /proc/self/uid_map /proc/self/gid_map',
    change: userNamespace({
      uidMappings: [
        { containerID: 0, hostID: FIRST, size: 1000 },
        { containerID: 1000, hostID: 5000, size: 1 },
        { containerID: 1001, hostID: FIRST + 1001, size: 64_000 },
      ],
    }),
  },
  'devices in a user namespace': {
    script:
      'ls /dev; for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a" /dev/$d; done; head -c3 /dev/zero | wc -c; echo x > /dev/null',
    change: userNamespace(),
    differs: { crun: 'crun links /dev/core to /proc/kcore, which nobody has asked for' },
  },
  'what root of a user namespace may do': {
    script:
      'hostname other; hostname; ip link set lo down && echo down; mount -t tmpfs t /tmp 2>&1 | sed "s/.*: //"; kill -0 1 && echo kill',
    change: (config, directory) => {
      const all = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_KILL'];
      const capabilities = { bounding: all, effective: all, permitted: all };
      return process({ capabilities })(userNamespace()(config, directory), directory);
    },
  },
  'a volume in a user namespace that only root of the host can reach': {
    script: 'cat /data/file; stat -c %u:%g /data/file',
    change: (config, directory) => {
      const volume = join(directory, 'private/volume');
      mkdirSync(volume, { recursive: true, mode: 0o700 });
      writeFileSync(join(volume, 'file'), 'reached\n', { mode: 0o644 });
      const mount = { destination: '/data', type: 'bind', source: volume, options: ['rbind', 'ro'] };
      const mapped = userNamespace()(config, directory);
      chownSync(join(directory, 'private/volume'), FIRST, FIRST);
      return { ...mapped, mounts: [...mapped.mounts, mount] };
    },
  },
  'a user namespace without mappings': {
    script: 'echo not reached',
    change: (config) => namespace('user')(config),
    ...failure,
  },
  'a time namespace with offsets': {
    script: 'cat /proc/self/timens_offsets | tr -s " "; cut -c1-3 /proc/uptime',
    change: (config, directory) =>
      linux({ timeOffsets: { boottime: { secs: 70_000_000 }, monotonic: { secs: 5, nanosecs: 6 } } })(
        namespace('time')(config),
        directory,
      ),
    differs: { runc: OLD_RUNC, crun: 'crun 1.8 cannot make one on this kernel' },
    expect: { output: 'monotonic 5 6\nboottime 70000000 0\n700\n' },
  },
  'a time namespace': {
    script:
      'cat /proc/self/timens_offsets | tr -s " "; test "$(readlink /proc/self/ns/time)" = "$(readlink /proc/1/ns/time)" && echo same',
    change: namespace('time'),
    expect: { output: 'monotonic 0 0\nboottime 0 0\nsame\n' },
    differs: { runc: OLD_RUNC, crun: 'crun 1.8 cannot make one on this kernel' },
  },
  "the host's process numbers": {
    script: 'test $(ls -d /proc/[0-9]* | wc -l) -gt 20 && echo many; test $$ -gt 1 && echo not first',
    change: (config) => ({
      ...config,
      linux: { ...config.linux, namespaces: (config.linux.namespaces ?? []).filter(({ type }) => type !== 'pid') },
    }),
    expect: { output: 'many\nnot first\n' },
  },
  'namespaces that are joined': {
    script: 'for n in net ipc uts pid; do readlink /proc/self/ns/$n; done; hostname',
    change: (config) => {
      const { hostname: _, ...rest } = config;
      const joined = (['ipc', 'uts'] as const).reduce(
        (now, type) => namespace(type, `/proc/self/ns/${type}`)(now),
        rest as BundleConfig,
      );
      return { ...joined, mounts: joined.mounts.filter(({ type }) => type !== 'mqueue') };
    },
    normal: (output) => output.replaceAll(/^(net|pid):.*$/gm, '$1'),
  },
  'a namespace of another type': {
    script: 'echo not reached',
    change: namespace('network', '/proc/self/ns/ipc'),
    ...failure,
  },
  'a namespace that is not there': {
    script: 'echo not reached',
    change: namespace('network', '/no/such/namespace'),
    ...failure,
  },
  'a namespace twice': {
    script: 'echo not reached',
    change: (config) => ({
      ...config,
      linux: { ...config.linux, namespaces: [...(config.linux.namespaces ?? []), { type: 'ipc' }] },
    }),
    ...failure,
    differs: { crun: 'crun takes the same type twice' },
  },
  'a domain name': {
    script: 'cat /proc/sys/kernel/domainname',
    change: (config) => ({ ...config, domainname: 'some.domain' }),
    expect: { output: 'some.domain\n' },
    differs: { runc: 'runc 1.1 does not know domainname' },
  },
  'a host name without a namespace for it': {
    script: 'echo not reached',
    change: (config) => ({
      ...config,
      linux: { ...config.linux, namespaces: (config.linux.namespaces ?? []).filter(({ type }) => type !== 'uts') },
    }),
    ...failure,
  },
  'a scheduler and an I/O priority': {
    script: 'grep "^policy\\|^prio" /proc/self/sched | tr -d " \\t"; ionice -p 1',
    change: process({
      scheduler: { policy: 'SCHED_BATCH', nice: 5 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
    }),
    expect: { output: 'policy:3\nprio:125\nbest-effort: prio 6\n' },
    differs: { runc: OLD_RUNC, crun: OLD_CRUN },
  },
  'a personality': {
    script: 'uname -m',
    change: linux({ personality: { domain: 'LINUX32' } }),
    differs: { runc: OLD_RUNC },
    normal: (output) => output.replace('armv8l', 'i686'),
    expect: { output: 'i686\n' },
  },
  'a memory policy': {
    script: 'sed -n "s/.* \\(interleave[^ ]*\\) .*/\\1/p" /proc/self/numa_maps | sort -u',
    change: linux({ memoryPolicy: { mode: 'MPOL_INTERLEAVE', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] } }),
    expect: { output: 'interleave=static:0\n' },
    differs: { runc: OLD_RUNC, crun: OLD_CRUN },
  },
  'a capability that Linux does not have': {
    script: 'grep ^CapEff /proc/self/status',
    change: process({
      capabilities: {
        bounding: ['CAP_KILL', 'CAP_MAGIC'],
        effective: ['CAP_KILL', 'CAP_MAGIC'],
        permitted: ['CAP_KILL'],
      },
    }),
    normal: (output) =>
      output
        .split('\n')
        .filter((line) => line.startsWith('CapEff'))
        .join(),
  },
  ...propagations(),
};

/** How mounts of the root spread, of every value there is. */
function propagations(): Record<string, Case> {
  const script =
    'grep " / / \\|rootfs / " /proc/self/mountinfo | sed "s/.* rw[^ ]* \\([^-]*\\)-.*/\\1/" | tr -d "0-9" | head -1';
  const late = "runc before 1.2 makes the copy of the host's mounts so, and leaves the root as that leaves it";
  const unbindable = 'runc cannot take its root from what is unbindable';
  const differs: Readonly<Record<string, Case['differs']>> = {
    shared: { runc: late },
    rshared: { runc: late },
    unbindable: { runc: unbindable },
    runbindable: { runc: unbindable, crun: 'crun cannot bind its masks then' },
  };
  const values = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable'];
  return Object.fromEntries(
    values.map((value) => {
      const change = linux({ rootfsPropagation: value });
      return [`a root that is ${value}`, { script, change, differs: differs[value] ?? {} }];
    }),
  );
}
