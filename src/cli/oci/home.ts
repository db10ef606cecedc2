// HOME, where config.json does not set it: from the container's own /etc/passwd, as runc and crun have it.
import { readUserFiles } from '../../oci/pod/user-files.ts';
import type { Process, RuntimeConfig } from '../../oci/runtime/config.ts';
import { lookUpUser } from '../../oci/runtime/user.ts';

/** Of a container's record: its HOME was looked up, so that of a process of another user in it is looked up again. */
export const HOME_LABEL = 'home';

export type WithHome = { readonly config: RuntimeConfig; readonly labels: Readonly<Record<string, string>> };

/** The configuration with HOME in its environment, and what to remember of it. */
export function withHome(config: RuntimeConfig, rootfs: string): WithHome {
  if (config.process === undefined || hasHome(config.process)) return { config, labels: {} };
  return {
    config: { ...config, process: processWithHome(config.process, rootfs) },
    labels: { [HOME_LABEL]: 'passwd' },
  };
}

/** The process with HOME in its environment. `/` for a user whom the container does not know. */
export function processWithHome(process: Process, rootfs: string): Process {
  if (hasHome(process)) return process;
  const { home } = lookUpUser(String(process.user.uid), readUserFiles([rootfs]));
  return { ...process, env: [...(process.env ?? []), `HOME=${home}`] };
}

/** The process without its HOME. */
export function withoutHome(process: Process): Process {
  return { ...process, env: (process.env ?? []).filter((entry) => !entry.startsWith('HOME=')) };
}

function hasHome({ env = [] }: Process): boolean {
  return env.some((entry) => entry.startsWith('HOME='));
}
