// Parents of cgroups that a benchmark made: removed in every hierarchy, deepest first.
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';

/** Remove the cgroup `parent` and the empty ones below it. Throws when a process is left in one. */
export function removeCgroups(parent: string): void {
  for (const { mountPoint } of readCgroupLayout().hierarchies) {
    const directory = join(mountPoint, parent);
    if (existsSync(directory)) removeTree(directory);
  }
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}
