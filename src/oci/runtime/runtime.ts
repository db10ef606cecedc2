// What every operation of the runtime is given: where state lies, where cgroups are, what the kernel can. Made once.
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { bootId } from '../../linux/boot-id.ts';
import { hierarchyOf, type CgroupLayout } from '../../linux/cgroup/layout.ts';
import { boundingCapabilities } from '../../linux/capability.ts';
import { openNullDevice } from '../../linux/null-device.ts';
import { readProcessStat } from '../../linux/process-stat.ts';
import { compileSeccomp } from '../../linux/seccomp/compile.ts';
import { unknownSyscalls } from '../../linux/seccomp/decision.ts';
import { oomScoreAdj } from '../../linux/oom-score.ts';
import { nativeAbi } from '../../linux/syscall-numbers.ts';
import { securityModules } from '../../linux/security-modules.ts';
import type { PhaseListener } from '../start-phase.ts';
import type { Seccomp } from './config.ts';
import type { LabelModules } from './label-operations.ts';
import { thermalThrottlePaths } from './defaults.ts';
import { SharedDevices } from './shared-devices.ts';
import { keptFilter } from './kept-filter.ts';
import { Spawner } from './spawner.ts';
import type { Machine } from './generate-config.ts';
import type { PathKind } from './mount-facts.ts';
import type { ProcessIdentity } from './record.ts';
import { defaultSeccomp, type SeccompSubject } from './seccomp-default.ts';

export type Runtime = {
  /** `--state`. */
  readonly stateDirectory: string;
  readonly cgroups: CgroupLayout;
  readonly machine: Machine;
  /** What it can give to containers, as a mask. */
  readonly capabilities: bigint;
  readonly spawner: Spawner;
  readonly sharedDevices: SharedDevices;
  readonly bootId: string;
  /** This process, which every container that it makes is recorded with. */
  readonly creator: ProcessIdentity;
  /** The compiled filter of a profile: compiled once for equal profiles. `keptIn` is the directory of the container that has it. */
  readonly seccompFilter: (profile: Seccomp, keptIn?: string) => Buffer;
  /** A descriptor of /dev/null to give to containers, see null-device.ts. */
  readonly nullDevice: () => number;
  /** What a path of the machine is. Paths of /proc and /sys are looked at once: which ones a kernel has does not change. */
  readonly kindOf: (path: string) => PathKind | undefined;
  readonly labels: LabelModules;
  /** Where what goes on all the same is told: a hook that failed and does not count, a capability that Linux does not have. */
  readonly warn: (message: string) => void;
  readonly onPhase: PhaseListener;
};

/** Where its containers are: all that is needed to see them, and to signal their processes. */
export type RuntimePlace = Pick<Runtime, 'stateDirectory' | 'cgroups'>;

/** Look at the machine once. Throws what reading /proc throws. */
export function openRuntime({
  stateDirectory,
  cgroups,
  warn = () => undefined,
  onPhase = () => undefined,
  keepFilters = false,
}: {
  readonly stateDirectory: string;
  readonly cgroups: CgroupLayout;
  readonly warn?: Runtime['warn'];
  readonly onPhase?: PhaseListener;
  /** This process ends before others want the filters that it has compiled. */
  readonly keepFilters?: boolean;
}): Runtime {
  const capabilities = boundingCapabilities();
  const ownProfiles = new WeakSet<Seccomp>();
  return {
    stateDirectory,
    cgroups,
    machine: {
      thermalThrottle: thermalThrottlePaths(),
      defaultSeccomp: cachedProfiles(ownProfiles),
      oomScoreAdj: oomScoreAdj(),
      oomGroup: hierarchyOf(cgroups, 'memory')?.version === 2,
    },
    capabilities,
    spawner: new Spawner(capabilities),
    sharedDevices: new SharedDevices(),
    bootId: bootId(),
    creator: { pid: process.pid, startTime: readProcessStat(process.pid)?.startTime ?? 0 },
    seccompFilter: cachedCompiler(warn, ownProfiles, keepFilters),
    nullDevice: openedOnUse(),
    kindOf: pathKinds(),
    labels: securityModules(),
    warn,
    onPhase,
  };
}

/** The default profile is the same for the same capabilities: made once, so that its filter is found by identity. */
function cachedProfiles(own: WeakSet<Seccomp>): (subject: SeccompSubject) => Seccomp {
  const profiles = new Map<string, Seccomp>();
  return (subject) => {
    const key = `${subject.architecture} ${subject.capabilities.join(' ')}`;
    const profile = profiles.get(key) ?? defaultSeccomp(subject);
    profiles.set(key, profile);
    own.add(profile);
    return profile;
  };
}

/**
 * Names that no kernel known here has are left out, and said so: profiles are written for many kernels. Those of berth's own are all
 * known (a test sees to it), and to read the tables of foreign processors takes 2 ms of a start.
 */
function cachedCompiler(warn: Runtime['warn'], own: WeakSet<Seccomp>, keepFilters: boolean): Runtime['seccompFilter'] {
  const filters = new Map<string, Buffer>();
  const same = new WeakMap<Seccomp, Buffer>();
  const abi = nativeAbi();
  const compile = (profile: Seccomp): Buffer => {
    const unknown = own.has(profile) ? [] : unknownSyscalls(profile);
    for (const name of unknown) warn(`linux.seccomp: unknown system call '${name}' is ignored`);
    return compileSeccomp(profile, abi);
  };
  return (profile, keptIn) => {
    const known = same.get(profile);
    if (known !== undefined) return known;
    const key = JSON.stringify(profile, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const make = (): Buffer => filters.get(key) ?? compile(profile);
    const file = keepFilters && keptIn !== undefined ? join(keptIn, 'seccomp') : undefined;
    const filter = file === undefined ? make() : keptFilter(file, key, make);
    filters.set(key, filter);
    same.set(profile, filter);
    return filter;
  };
}

/** Open for as long as this process lives. */
function openedOnUse(): () => number {
  let opened: number | undefined;
  return () => {
    opened ??= openNullDevice().release();
    return opened;
  };
}

function pathKinds(): (path: string) => PathKind | undefined {
  const known = new Map<string, PathKind | undefined>();
  return (path) => {
    if (known.has(path)) return known.get(path);
    const stat = statSync(path, { throwIfNoEntry: false });
    const kind = stat === undefined ? undefined : stat.isDirectory() ? 'directory' : 'file';
    if (/^\/(proc|sys)\//.test(path)) known.set(path, kind);
    return kind;
  };
}
