// cgroup v1: systemd sees what is in a unit by a hierarchy without controllers.
import { existsSync } from 'node:fs';

import type { CgroupLayout } from '../../../linux/cgroup/layout.ts';
import { placeIn } from '../../../linux/cgroup/place.ts';

/** The file by which a process enters a unit's cgroup there; none where there is no such hierarchy, or systemd is not in it. */
export function systemdTasks({ hierarchies }: CgroupLayout, path: string): readonly string[] {
  const own = hierarchies.find(({ controllers }) => controllers.includes('name=systemd'));
  const directory = own === undefined ? undefined : placeIn(own, path).directory;
  return directory !== undefined && existsSync(directory) ? [`${directory}/tasks`] : [];
}
