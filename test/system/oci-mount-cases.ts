// Mounts, devices and masks, option by option.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { mkfifo } from '../../src/linux/fifo.ts';
import type { Mount } from '../../src/oci/runtime/config.ts';
import { bindOf, linux, mounts, type Case, type Change } from './oci-case.ts';
import { makeBusyboxRoot } from './busybox-bundle.ts';
import type { BundleConfig } from './oci-bundle.ts';

/** A line of mountinfo, from the flags on; numbers of peer groups and devices differ from one container to the next. */
const show = (path: string): string => `grep " ${path} " /proc/self/mountinfo | cut -d" " -f6-`;
const numbersAway = (output: string): string => output.replaceAll(/(shared|master):\d+/g, '$1:N');
const sorted = (output: string): string => output.split('\n').toSorted().join('\n');

const tmpfs = (destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options,
});

function tmpfsCase(...options: string[]): Case {
  return { script: show('/t'), change: mounts(tmpfs('/t', ...options, 'mode=700')) };
}

function bindCase(...options: string[]): Case {
  return {
    script: show('/data'),
    change: (config, directory) => bindOf(config, directory, options),
    normal: (output) => numbersAway(output.replace(/ - .*/, '')),
  };
}

/** A root with more in it. */
function withRoot(make: (rootfs: string) => void, then: Change): Change {
  return (config, directory) => {
    mkdirSync(join(directory, 'rootfs'), { recursive: true });
    make(join(directory, 'rootfs'));
    return then(config, directory);
  };
}

const FAILS = { normal: () => '', codes: 'failure' } as const;

export const MOUNT_CASES: Readonly<Record<string, Case>> = {
  'a tmpfs that is read-only': {
    ...tmpfsCase('ro', 'nosuid'),
    normal: (output) => output.replace('tmpfs rw', 'tmpfs ro'), // runc and crun mount it writable, then change the mount
  },
  'a tmpfs with options that take others back': {
    ...tmpfsCase('ro', 'noexec', 'nodev', 'rw', 'exec'),
    differs: { crun: 'crun 1.8 takes no option back' },
  },
  'a tmpfs without access times': tmpfsCase('noatime', 'nodiratime'),
  'a tmpfs with strict access times': tmpfsCase('noatime', 'strictatime'),
  'a tmpfs with relative access times': tmpfsCase('relatime'),
  'a tmpfs that is synchronous': tmpfsCase('sync', 'dirsync'),
  'a tmpfs with lazy times': {
    ...tmpfsCase('lazytime', 'silent', 'defaults'),
    differs: { runc: 'runc 1.1 does not know lazytime', crun: 'crun 1.8 does not know it' },
  },
  'a tmpfs with options of its own': tmpfsCase('size=2m', 'nr_inodes=100', 'uid=5', 'gid=6'),
  'a tmpfs of many propagation words': {
    ...tmpfsCase('slave', 'shared'),
    normal: numbersAway,
    differs: { crun: 'crun 1.8 takes one word only' },
  },
  'a tmpfs with an option that no kernel knows': { script: '', change: mounts(tmpfs('/t', 'nonsense=1')), ...FAILS },
  'a tmpfs that is read-only, with a mount in it': {
    script: `${show('/t')}; ${show('/t/in')}; touch /t/x 2>&1`,
    change: mounts(tmpfs('/t', 'ro', 'mode=755'), tmpfs('/t/in', 'mode=755')),
    normal: (output) => output.replaceAll(/ - .*/g, ''),
  },
  'a tmpfs that begins with what it covers': {
    script:
      'cd /stuff && find . | sort | xargs stat -c "%n %F %a %u %g"; cat file; readlink link; df . | tail -1 | cut -d" " -f1',
    change: withRoot(
      (rootfs) => {
        mkdirSync(join(rootfs, 'stuff/deep'), { recursive: true, mode: 0o750 });
        writeFileSync(join(rootfs, 'stuff/deep/script'), 'x', { mode: 0o755 });
        writeFileSync(join(rootfs, 'stuff/file'), 'content\n');
        chmodSync(join(rootfs, 'stuff/file'), 0o4711);
        symlinkSync('/nowhere', join(rootfs, 'stuff/link'));
      },
      (config) => ({ ...config, mounts: [...config.mounts, tmpfs('/stuff', 'tmpcopyup')] }),
    ),
    differs: { crun: 'crun 1.8 lets all write to it' },
  },
  'a bind mount that may not be written, executed or have devices': bindCase('bind', 'ro', 'noexec', 'nodev', 'nosuid'),
  'a bind mount without access times': bindCase('bind', 'noatime', 'nodiratime'),
  'a bind mount with strict access times': bindCase('bind', 'strictatime'),
  'a bind mount that is shared': {
    ...bindCase('bind', 'rshared'),
    differs: { crun: 'crun 1.8 loses the word where the root is private' },
  },
  'a bind mount that is unbindable': {
    ...bindCase('bind', 'unbindable'),
    differs: { crun: 'crun 1.8 loses the word where the root is private' },
  },
  'a bind mount of many propagation words': {
    ...bindCase('rbind', 'private', 'slave', 'shared'),
    differs: { crun: 'crun 1.8 takes one word only' },
  },
  'a bind mount, read-only with all below it': {
    script: 'grep -o " /cg[^ ]* [^ ]*" /proc/self/mountinfo | cut -c4-',
    change: mounts({
      destination: '/cg',
      type: 'bind',
      source: '/sys/fs/cgroup',
      options: ['rbind', 'rro', 'rnoexec'],
    }),
    normal: sorted,
  },
  'a bind mount, read-only without what is below it': {
    script: 'grep -o " /cg[^ ]* [^ ]*" /proc/self/mountinfo | cut -c4- | grep -c " ro"',
    change: mounts({ destination: '/cg', type: 'bind', source: '/sys/fs/cgroup', options: ['rbind', 'ro'] }),
  },
  'a bind mount of a FIFO': {
    script: 'stat -c "%F %a" /run/pipe',
    change: (config, directory) => {
      const bound = bindOf(config, directory, ['bind'], { source: 'pipe', destination: '/run/pipe' });
      mkfifo(join(directory, 'volume/pipe'), 0o640);
      chmodSync(join(directory, 'volume/pipe'), 0o640);
      return bound;
    },
  },
  'a bind mount of a device': {
    script: 'stat -c "%F %t %T" /srv/null; echo gone >/srv/null',
    change: mounts({ destination: '/srv/null', type: 'bind', source: '/dev/null', options: ['bind'] }),
  },
  'a bind mount of a relative source': {
    script: 'ls /data',
    change: (config, directory) => {
      const bound = bindOf(config, directory, ['bind']);
      return {
        ...bound,
        mounts: bound.mounts.map((mount) => (mount.destination === '/data' ? { ...mount, source: 'volume' } : mount)),
      };
    },
  },
  'a relative destination': {
    script: show('/t/u'),
    change: mounts(tmpfs('t/./u/', 'mode=700')),
    normal: (output) => output.replaceAll(/^time=.*level=warning.*\n/gm, ''),
  },
  'a destination with .. in it': {
    script: `${show('/u')}; ls -d /t 2>&1`,
    change: mounts(tmpfs('/t/../../u', 'mode=700')),
    differs: { crun: 'crun makes /t on the way' },
  },
  'an overlay': {
    script: 'ls /o; touch /o/new && ls /o',
    change: (config, directory) => {
      const layers = ['lower', 'upper', 'work'].map((name) => join(directory, name));
      for (const path of layers) mkdirSync(path);
      writeFileSync(join(directory, 'lower/file'), '');
      const options = ['lowerdir', 'upperdir', 'workdir'].map((key, index) => `${key}=${layers[index]}`);
      const overlay: Mount = { destination: '/o', type: 'overlay', source: 'overlay', options };
      return { ...config, mounts: [...config.mounts, overlay] };
    },
  },
  'proc on a link of the image': {
    script: '',
    change: withRoot(
      (rootfs) => {
        mkdirSync(join(rootfs, 'elsewhere'));
        symlinkSync('elsewhere', join(rootfs, 'proc'));
      },
      (config) => config,
    ),
    ...FAILS,
  },
  'a file over what /proc tells of a process': {
    script: 'true',
    change: (config, directory) =>
      bindOf(config, directory, ['bind'], { source: 'file', destination: '/proc/self/attr/exec' }),
    ...FAILS,
    differs: { crun: 'crun lets files be mounted there' },
  },
  'a file over what /proc tells of the machine': {
    script: 'cat /proc/uptime',
    change: (config, directory) => bindOf(config, directory, ['bind'], { source: 'file', destination: '/proc/uptime' }),
  },
  "cgroups in the host's cgroup namespace": {
    script: 'cat /sys/fs/cgroup/pids/pids.max; ls -d /sys/fs/cgroup/cpu/cpu.shares; touch /sys/fs/cgroup/x 2>&1',
    differs: { runc: 'it leaves the directory above the hierarchies writable, in spite of ro', crun: 'as runc' },
    change: (config, directory) => linux({ resources: { pids: { limit: 77 } } })(withoutCgroup(config), directory),
  },
  'an absolute root': {
    script: 'pwd; ls /bin/sh',
    change: (config, directory) => ({ ...config, root: { path: join(directory, 'rootfs') } }),
  },
  'a read-only path with mounts below': {
    differs: { runc: 'it leaves what is below writable', crun: 'as runc' },
    script: 'grep " /t" /proc/self/mountinfo | cut -d" " -f5-6',
    change: (config, directory) =>
      linux({ readonlyPaths: ['/t'] })(
        mounts(tmpfs('/t', 'mode=700'), tmpfs('/t/in', 'mode=700'))(config, directory),
        directory,
      ),
  },
  'a root that is the bundle': {
    script: 'ls -d /config.json /bin/sh; grep -c " / / " /proc/self/mountinfo',
    change: (config, directory) => {
      makeBusyboxRoot(directory);
      return { ...config, root: { path: '.' } };
    },
  },
  'a remount of what was mounted before': {
    script: `${show('/t')}; touch /t/x 2>&1`,
    change: mounts(tmpfs('/t', 'mode=755'), tmpfs('/t', 'remount', 'ro', 'nosuid', 'mode=755')),
    normal: (output) => output.replaceAll(/ - .*/g, ''),
  },
  'devices of all kinds': {
    script:
      'cd /dev && stat -c "%n %F %t %T %a %u %g" fuse deep/loop pipe un; stat -c "%n %F" tty ptmx null; ls -l ptmx | cut -d">" -f2',
    change: linux({
      devices: [
        { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o640, uid: 3, gid: 4 },
        { type: 'b', path: '/dev/deep/loop', major: 7, minor: 300, fileMode: 0o600 },
        { type: 'p', path: '/dev/pipe', fileMode: 0o622 },
        { type: 'u', path: '/dev/un', major: 10, minor: 200 },
        { type: 'c', path: '/dev/tty', major: 5, minor: 0, fileMode: 0o666 },
        { type: 'c', path: '/dev/ptmx', major: 5, minor: 2, fileMode: 0o666 },
      ],
    }),
  },
  'a device outside of /dev': {
    script: 'stat -c "%F %t %T %a" /srv/null',
    change: linux({ devices: [{ type: 'c', path: '/srv/null', major: 1, minor: 3 }] }),
  },
  'no mount on /dev': {
    script:
      'stat -c "%n %F %a" /dev/null /dev/zero /dev/tty; for link in fd ptmx stdin; do readlink /dev/$link; done; echo x >/dev/null',
    change: (config) => ({
      ...config,
      mounts: config.mounts.filter(({ destination }) => !destination.startsWith('/dev')),
    }),
  },
  'read-only paths of the image still run programs': {
    script: `/bin/busybox true && echo runs; touch /bin/x 2>&1; touch /etc/x 2>&1; ${show('/bin')}`,
    change: linux({ readonlyPaths: ['/bin', '/etc', '/nowhere'] }),
    normal: (output) => output.replaceAll(/ - .*/g, ''),
  },
  'masks behind links': {
    script: 'wc -c </real/file; ls -A /real/directory | wc -l',
    change: withRoot(
      (rootfs) => {
        mkdirSync(join(rootfs, 'real/directory/not'), { recursive: true });
        writeFileSync(join(rootfs, 'real/file'), 'secret');
        symlinkSync('/real/file', join(rootfs, 'to-file'));
        symlinkSync('real/directory', join(rootfs, 'to-directory'));
      },
      linux({ maskedPaths: ['/to-file', '/to-directory'] }),
    ),
  },
  'masks are empty, and read-only': {
    script:
      'for path in /proc/acpi /sys/firmware; do ls -A $path; touch $path/x 2>&1; done; grep -c " /proc/keys " /proc/self/mountinfo',
  },
};

/** In the host's cgroup namespace. */
function withoutCgroup(config: BundleConfig): BundleConfig {
  const namespaces = (config.linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
  return { ...config, linux: { ...config.linux, namespaces } };
}
