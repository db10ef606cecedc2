// Other limits for a container that runs, or is paused.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openCgroup } from '../../linux/cgroup/cgroup.ts';
import type { CgroupResources } from '../../linux/cgroup/resources.ts';
import { OciError } from '../error.ts';
import { formatConfigText } from './config-text.ts';
import type { RuntimeConfig } from './config.ts';
import { changedParts, mergeLimits } from './merge-limits.ts';
import { readConfig } from './read-config.ts';
import { containerDirectory } from './record.ts';
import type { RuntimePlace } from './runtime.ts';
import { requireState } from './state.ts';

/**
 * Change limits; those that are not named stay. Afterwards the container's configuration has them. Returns notes for people. Rejects with
 * OciError CONTAINER_UNKNOWN, CONTAINER_STATE or SYSTEMD_FAILED, or with CgroupError.
 */
export async function updateContainer(
  { cgroups, stateDirectory }: RuntimePlace,
  id: string,
  limits: CgroupResources,
): Promise<readonly string[]> {
  const { status, record } = requireState(stateDirectory, id);
  if (status === 'stopped')
    throw new OciError('CONTAINER_STATE', `Cannot update container '${id}': container not running`);
  const config = readConfig({ cgroups, stateDirectory }, id);
  const whole = mergeLimits(config.linux?.resources ?? {}, limits);
  if (record.unit !== undefined) {
    const { tellSystemd } = await import('./systemd/systemd-cgroup.ts');
    await tellSystemd(cgroups, record.unit, changedParts(limits, whole));
  }
  const notes = openCgroup(cgroups, record.cgroupPath).update(limits);
  writeConfig(containerDirectory(stateDirectory, id), { ...config, linux: { ...config.linux, resources: whole } });
  return notes;
}

function writeConfig(directory: string, config: RuntimeConfig): void {
  const file = join(directory, 'config.json');
  writeFileSync(`${file}.new`, formatConfigText(config), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
