// The cgroup of a container, by the driver that was asked for: berth makes the directories, or systemd does.
import { createCgroup, type Cgroup } from '../../linux/cgroup/cgroup.ts';
import { CgroupError } from '../../linux/cgroup/error.ts';
import { measurePhase } from '../start-phase.ts';
import { cgroupPath, resourcesOf, type ContainerCgroup, type Subject } from './container-cgroup.ts';
import type { Runtime } from './runtime.ts';

/** Make it with its limits. Throws CgroupError; with systemd also rejects with OciError SYSTEMD_FAILED or CONFIG_INVALID. */
export async function makeCgroup(runtime: Runtime, subject: Subject): Promise<ContainerCgroup> {
  using _phase = measurePhase('cgroup', runtime.onPhase);
  if (subject.systemd !== true) return makeDirectories(runtime, subject);
  const { createSystemdCgroup } = await import('./systemd/systemd-cgroup.ts');
  return createSystemdCgroup(runtime.cgroups, subject);
}

/** Many containers with equal device rules are made below a cgroup that has them already. */
function makeDirectories({ cgroups, sharedDevices }: Runtime, subject: Subject): Cgroup {
  const path = cgroupPath(subject);
  const resources = resourcesOf(subject);
  const { devices, ...others } = resources;
  if (!sharedDevices.covers(path, devices)) return createCgroup(cgroups, path, resources);
  try {
    return createCgroup(cgroups, path, others, { inheritsDevices: true });
  } catch (error) {
    if (!(error instanceof CgroupError) || error.code !== 'GONE') throw error;
    sharedDevices.forget();
    return createCgroup(cgroups, path, resources);
  }
}
