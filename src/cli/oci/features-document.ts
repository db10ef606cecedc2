// What this runtime can do, for programs that ask before they use it: features.md of the runtime specification. Pure.
import { berthVersion } from '../../agent/version.ts';
import { CAPABILITIES } from '../../linux/capability.ts';
import type { HookName, NamespaceType } from '../../oci/runtime/config.ts';
import { parseMountOptions } from '../../oci/runtime/mount-options.ts';
import { SPEC_VERSION } from './version.ts';

/** Options that mount(8) and the specification know. Those are listed that the runtime does not take for a file system's own. */
const KNOWN_OPTIONS =
  'acl async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noacl noatime nodev nodiratime noexec noiversion ' +
  'nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec ridmap ' +
  'rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave ' +
  'rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable';

const NAMESPACES = [
  'cgroup',
  'ipc',
  'mount',
  'network',
  'pid',
  'time',
  'user',
  'uts',
] as const satisfies NamespaceType[];
const HOOKS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies HookName[];

const SECCOMP_FLAGS = ['LOG', 'SPEC_ALLOW', 'TSYNC', 'WAIT_KILLABLE_RECV'].map((name) => `SECCOMP_FILTER_FLAG_${name}`);

const SECCOMP = {
  enabled: true,
  actions: [
    'SCMP_ACT_ALLOW',
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_KILL',
    'SCMP_ACT_KILL_PROCESS',
    'SCMP_ACT_KILL_THREAD',
    'SCMP_ACT_LOG',
    'SCMP_ACT_NOTIFY',
    'SCMP_ACT_TRACE',
    'SCMP_ACT_TRAP',
  ],
  operators: ['EQ', 'GE', 'GT', 'LE', 'LT', 'MASKED_EQ', 'NE'].map((name) => `SCMP_CMP_${name}`),
  knownFlags: SECCOMP_FLAGS,
  supportedFlags: SECCOMP_FLAGS,
  archs: ['AARCH64', 'ARM', 'X32', 'X86', 'X86_64'].map((name) => `SCMP_ARCH_${name}`),
} as const;

/** The document of `features`. */
export function featuresDocument(): object {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: SPEC_VERSION,
    hooks: HOOKS,
    mountOptions: KNOWN_OPTIONS.split(' ')
      .filter((option) => parseMountOptions([option]).data === '')
      .sort(),
    linux: {
      namespaces: NAMESPACES,
      capabilities: CAPABILITIES,
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: true },
      seccomp: SECCOMP,
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: { 'dev.berth.version': berthVersion() },
  };
}
