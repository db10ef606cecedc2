// HOME, where config.json does not set it: from the container's own /etc/passwd, as runc and crun have it.
import { readUserFiles } from '../../oci/pod/user-files.ts';
import type { RuntimeConfig } from '../../oci/runtime/config.ts';
import { lookUpUser } from '../../oci/runtime/user.ts';

/** The configuration with HOME in its environment. `/` for a user whom the container does not know. */
export function withHome(config: RuntimeConfig, rootfs: string): RuntimeConfig {
  const { process } = config;
  const env = process?.env ?? [];
  if (process === undefined || env.some((entry) => entry.startsWith('HOME='))) return config;
  const { home } = lookUpUser(String(process.user.uid), readUserFiles([rootfs]));
  return { ...config, process: { ...process, env: [...env, `HOME=${home}`] } };
}
