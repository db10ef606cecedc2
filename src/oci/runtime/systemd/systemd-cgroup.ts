// The systemd cgroup driver: systemd makes the cgroup of a container as that of a unit, knows its limits, and removes it.
//
//   placeholder ─▶ StartTransientUnit(PIDs = placeholder) ─▶ JobRemoved ─▶ limits into the files ─▶ clone into the cgroup
//                                                             placeholder ends ◀── a process of the container is in it
import { readFileSync } from 'node:fs';

import { createCgroup, openCgroup, type Cgroup } from '../../../linux/cgroup/cgroup.ts';
import { hierarchyOf, type CgroupLayout } from '../../../linux/cgroup/layout.ts';
import type { CgroupResources } from '../../../linux/cgroup/resources.ts';
import { livesInCgroup } from '../../../linux/process-stat.ts';
import { OciError } from '../../error.ts';
import { resourcesOf, type ContainerCgroup, type Subject } from '../container-cgroup.ts';
import { annotatedProperties } from './annotated-properties.ts';
import { deviceProperties } from './device-properties.ts';
import { limitProperties, type SystemdFacts } from './limit-properties.ts';
import { startPlaceholder, type Placeholder } from './placeholder.ts';
import type { UnitProperty } from './property.ts';
import { SystemdBus } from './systemd-bus.ts';
import { systemdTasks } from './systemd-tasks.ts';
import { unitOf, type Unit } from './unit.ts';
import { unitProperties } from './unit-properties.ts';

/**
 * Have systemd make the unit that `linux.cgroupsPath` names, with its limits. Rejects with OciError SYSTEMD_FAILED or CONFIG_INVALID, or
 * with CgroupError; then the unit is gone again.
 */
export async function createSystemdCgroup(layout: CgroupLayout, subject: Subject): Promise<ContainerCgroup> {
  const { config, id } = subject;
  const unit = unitOf(config.linux?.cgroupsPath, id);
  const resources = resourcesOf(subject);
  using bus = await SystemdBus.open();
  const facts = await systemdFacts(bus, layout);
  const own = annotatedProperties(config.annotations ?? {});
  // A limit of one process would leave no room for the container's beside the placeholder.
  const { now, later } = apart(resources);
  const limits = resourceProperties(now, facts);
  const held = unit.name.endsWith('.slice') ? undefined : startPlaceholder();
  const properties = [...unitProperties(unit, id, held?.pid ?? 0, facts.cgroupVersion), ...limits, ...own];
  try {
    await bus.startUnit(unit.name, properties);
  } catch (error) {
    await held?.leave(); // a unit of this name may be another's
    throw error;
  }
  try {
    if (held !== undefined) requireIn(unit, held.pid);
    const cgroup = createCgroup(layout, unit.cgroupPath, now);
    return driven(layout, { unit, cgroup, held, later });
  } catch (error) {
    await held?.leave();
    await bus.stopUnit(unit.name);
    throw error;
  }
}

/** Let systemd know limits of a unit; those that are not named stay. Rejects with OciError SYSTEMD_FAILED. */
export async function tellSystemd(layout: CgroupLayout, unit: string, resources: CgroupResources): Promise<void> {
  using bus = await SystemdBus.open();
  const { devices: _devices, ...limits } = resources;
  const properties = resourceProperties(limits, await systemdFacts(bus, layout));
  if (properties.length > 0) await bus.setProperties(unit, properties);
}

/** Stop a unit and forget it. Rejects with OciError SYSTEMD_FAILED. */
export async function stopSystemdUnit(unit: string): Promise<void> {
  using bus = await SystemdBus.open();
  await bus.stopUnit(unit);
}

type Driven = {
  readonly unit: Unit;
  readonly cgroup: Cgroup;
  readonly held: Placeholder | undefined;
  readonly later: CgroupResources;
};

function driven(layout: CgroupLayout, { unit, cgroup, held, later }: Driven): ContainerCgroup {
  return {
    ...cgroup,
    tasksFiles: [...cgroup.tasksFiles, ...systemdTasks(layout, unit.cgroupPath)],
    entered: async () => {
      await held?.leave();
      if (later.pids === undefined) return;
      await tellSystemd(layout, unit.name, later);
      openCgroup(layout, cgroup.path).update(later);
    },
    remove: async () => {
      await held?.leave();
      await stopSystemdUnit(unit.name);
      await cgroup.remove();
    },
  };
}

function apart(resources: CgroupResources): { readonly now: CgroupResources; readonly later: CgroupResources } {
  const { pids, ...others } = resources;
  return pids?.limit === 1 ? { now: others, later: { pids } } : { now: resources, later: {} };
}

function resourceProperties(resources: CgroupResources, facts: SystemdFacts): UnitProperty[] {
  const { devices } = resources;
  return [
    ...(devices === undefined ? [] : deviceProperties(devices, readFileSync('/proc/devices', 'utf8'))),
    ...limitProperties(resources, facts),
  ];
}

async function systemdFacts(bus: SystemdBus, layout: CgroupLayout): Promise<SystemdFacts> {
  return { version: await bus.version(), cgroupVersion: hierarchyOf(layout, 'memory')?.version ?? 2 };
}

/** systemd in a container of its own, say, has its units elsewhere. */
function requireIn({ name, cgroupPath }: Unit, pid: number): void {
  if (livesInCgroup(pid, cgroupPath)) return;
  const where = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n').join(', ');
  const expected = `expected its process in ${cgroupPath}, but it is in ${where}`;
  throw new OciError('SYSTEMD_FAILED', `The systemd unit ${name} has another cgroup: ${expected}`);
}
