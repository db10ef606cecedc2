// Which file holds what a container wrote.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../linux/errno.ts';
import type { Host } from '../oci/host.ts';
import { logFile, podPaths } from '../oci/pod/pod-paths.ts';
import type { ContainerView } from './containers.ts';
import { CommandFailure } from './failure.ts';

/** The log of this run of the container, or of the run before it. Throws CommandFailure when there is none. */
export function logOf(host: Host, container: ContainerView, { previous }: { readonly previous: boolean }): string {
  if (!previous) {
    if (container.logFile !== undefined) return container.logFile;
    throw new CommandFailure(`${container.name} has no log: it wrote to the terminal that it was started from`);
  }
  const paths = podPaths(host.paths, container.podUid);
  const before = runsOf(join(paths.durable, 'logs', container.container)).filter((run) => run < container.restarts);
  const last = before.at(-1);
  if (last === undefined) throw new CommandFailure(`${container.name} has no earlier run whose log is kept`);
  return logFile(paths, container.container, last);
}

/** The runs whose logs are there, in order. */
function runsOf(directory: string): number[] {
  try {
    return readdirSync(directory)
      .flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
