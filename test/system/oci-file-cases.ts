// What a process sees of files: mounts in their order and with their options, masks, read-only paths.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import type { Mount } from '../../src/oci/runtime/config.ts';
import { bindOf, linux, mounts, process, without, type Case } from './oci-case.ts';

/** By what they are about. */
export const FILE_CASES: Readonly<Record<string, Case>> = {
  'a read-only root': {
    script: 'touch /x 2>&1; touch /tmp/x 2>&1; touch /dev/shm/x && echo shm',
    change: (config) => ({ ...config, root: { path: 'rootfs', readonly: true } }),
  },
  'a tmpfs': {
    script: 'grep " /tmp " /proc/mounts; stat -c %a /tmp; df -k /tmp | tail -1 | tr -s " "',
    change: mounts({
      destination: '/tmp',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', 'size=1024k', 'mode=1770'],
    }),
    differs: { runc: 'runc before 1.2 gives it the mode of the directory below, whatever mode= says' },
  },
  'a tmpfs that does not say its mode': {
    script: 'stat -c %a /tmp',
    change: mounts({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }),
  },
  'a tmpfs that does not say its mode, on a directory that not all may enter': {
    script: 'stat -c %a /root',
    change: (config, directory) => {
      mkdirSync(join(directory, 'rootfs/root'), { recursive: true, mode: 0o700 });
      return { ...config, mounts: [...config.mounts, { destination: '/root', type: 'tmpfs', source: 'tmpfs' }] };
    },
    differs: { crun: 'crun 1.8 lets all write to it' },
  },
  "the host's network": {
    script: 'readlink /proc/self/ns/net',
    change: (config) => without(config, 'network'),
  },
  "the host's IPC": { script: 'readlink /proc/self/ns/ipc', change: (config) => without(config, 'ipc') },
  'a program that is missing': {
    script: '',
    change: process({ args: ['/bin/nope'] }),
    normal: () => '',
    codes: 'failure',
  },
  'a bind mount of nothing': {
    script: 'true',
    change: mounts({ destination: '/x', type: 'bind', source: '/nowhere', options: ['bind'] }),
    normal: () => '',
    codes: 'failure',
  },
  'a working directory that is a file': {
    script: 'true',
    change: process({ cwd: '/etc/passwd' }),
    normal: () => '',
    codes: 'failure',
  },
  'a sysctl of the machine': {
    script: 'true',
    change: linux({ sysctl: { 'kernel.panic': '0' } }),
    normal: () => '',
    codes: 'failure',
  },
  'a bind mount, read-only': {
    script: 'cat /data/file; touch /data/x 2>&1; grep " /data " /proc/self/mountinfo | cut -d" " -f6',
    change: (config, directory) => bindOf(config, directory, ['rbind', 'ro', 'nosuid', 'nodev', 'noexec']),
  },
  'a bind mount, read-write': {
    script: 'touch /data/x && ls /data; /data/file; grep " /data " /proc/self/mountinfo | cut -d" " -f6',
    change: (config, directory) => bindOf(config, directory, ['bind', 'rw', 'rprivate']),
  },
  'a bind mount of a file on a file that is missing': {
    script: 'cat /srv/deep/file; stat -c "%F" /srv/deep/file',
    change: (config, directory) =>
      bindOf(config, directory, ['bind'], { source: 'file', destination: '/srv/deep/file' }),
  },
  'mounts in their order': {
    script: 'ls /a /a/b; grep " /a" /proc/self/mountinfo | cut -d" " -f5 | sort',
    change: (config, directory) => {
      const [bound] = bindOf(config, directory, ['bind'], { destination: '/a/b' }).mounts.slice(-1);
      const tmpfs: Mount = { destination: '/a', type: 'tmpfs', source: 'tmpfs' };
      return { ...config, mounts: [...config.mounts, tmpfs, ...(bound === undefined ? [] : [bound])] };
    },
  },
  'a mount that hides what was mounted before': {
    script: 'ls -A /a',
    change: (config, directory) => {
      const [bound] = bindOf(config, directory, ['bind'], { destination: '/a/b/c' }).mounts.slice(-1);
      const tmpfs: Mount = { destination: '/a', type: 'tmpfs', source: 'tmpfs' };
      return { ...config, mounts: [...config.mounts, ...(bound === undefined ? [] : [bound]), tmpfs] };
    },
    expect: { output: '' },
  },
  'a mount point behind a link of the image': {
    script: 'ls /real',
    change: (config, directory) => {
      mkdirSync(join(directory, 'rootfs/real'), { recursive: true });
      symlinkSync('/real', join(directory, 'rootfs/link'));
      return bindOf(config, directory, ['bind'], { destination: '/link' });
    },
  },
  'masked paths': { script: 'wc -c </proc/keys; ls -A /proc/acpi /sys/firmware; wc -c </proc/timer_list' },
  'read-only paths': {
    script: '(: >>/proc/sys/kernel/core_pattern) 2>&1; (: >>/sys/power/state) 2>&1; touch /proc/fs/x 2>&1',
  },
  'no masks and no read-only paths': {
    script: '(: >>/proc/sys/kernel/core_pattern) && echo writable; ls -A /sys/firmware | wc -l',
    change: linux({ maskedPaths: [], readonlyPaths: [] }),
  },
  'a path that cannot be masked, though it is there': {
    script: 'echo not reached',
    differs: { runc: 'runc runs the program, and the path is as it was' },
    change: (config, directory) =>
      linux({ maskedPaths: ['/other/self/fd/1'] })(
        mounts({ destination: '/other', type: 'proc' })(config, directory),
        directory,
      ),
    codes: 'failure',
    normal: () => '',
    expect: { code: 1 },
  },
  'a path that cannot be made read-only, though it is there': {
    script: 'echo not reached',
    differs: { runc: 'runc runs the program, and the path is as it was' },
    change: (config, directory) =>
      linux({ readonlyPaths: ['/other/self/fd/1'] })(
        mounts({ destination: '/other', type: 'proc' })(config, directory),
        directory,
      ),
    codes: 'failure',
    normal: () => '',
    expect: { code: 1 },
  },
  'a mask of a file of the image, and of one that is missing': {
    script: 'wc -c </etc/passwd; ls -A /var/empty | wc -l; ls /nowhere 2>&1',
    change: (config, directory) => {
      mkdirSync(join(directory, 'rootfs/var/empty/not'), { recursive: true });
      return { ...config, linux: { ...config.linux, maskedPaths: ['/etc/passwd', '/var/empty', '/nowhere'] } };
    },
  },
};
