// Descriptors beyond the standard streams that a process in a container gets: those of socket activation (sd_listen_fds(3)), then
// the N of --preserve-fds, all at the numbers that they have here.
import { descriptorFlags, FD_CLOEXEC } from '../../linux/fcntl.ts';
import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../../oci/error.ts';
import type { Process, RuntimeConfig } from '../../oci/runtime/config.ts';

const FIRST = 3;

/** How many descriptors the caller hands over by socket activation: LISTEN_FDS, 0 where it is not set. */
export function listenFds(environment: Readonly<Record<string, string | undefined>> = process.env): number {
  return /^\d+$/.test(environment['LISTEN_FDS'] ?? '') ? Number(environment['LISTEN_FDS']) : 0;
}

/** The numbers to preserve. Throws OciError CONFIG_INVALID when the caller has not given one of them. */
export function preservedFds(count: string | undefined, listening: number = listenFds()): readonly number[] {
  if (count !== undefined && !/^\d+$/.test(count))
    throw new OciError('CONFIG_INVALID', `--preserve-fds is a number, not '${count}'`);
  const fds = Array.from({ length: listening + Number(count ?? 0) }, (_, index) => FIRST + index);
  for (const fd of fds) {
    if (!isInherited(fd))
      throw new OciError('CONFIG_INVALID', `Cannot preserve ${fds.length} descriptors: there is no descriptor ${fd}`);
  }
  return fds;
}

/** What this program opened itself is closed on exec; what it was given is not. */
function isInherited(fd: number): boolean {
  try {
    return (descriptorFlags(fd) & FD_CLOEXEC) === 0;
  } catch (error) {
    if (isErrno(error, 'EBADF')) return false;
    throw error;
  }
}

/** LISTEN_FDS and LISTEN_PID for the container's first process, as sd_listen_fds(3) reads them. */
export function withListenVariables(config: RuntimeConfig, listening: number = listenFds()): RuntimeConfig {
  const { process } = config;
  if (process === undefined || listening === 0) return config;
  const env = [...(process.env ?? []), `LISTEN_FDS=${listening}`, 'LISTEN_PID=1'];
  const changed: Process = { ...process, env };
  return { ...config, process: changed };
}
