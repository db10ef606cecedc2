// Descriptors beyond the standard streams that a process in a container gets: those of socket activation (sd_listen_fds(3)), then
// the N of --preserve-fds, all at the numbers that they have here.
import { readdirSync, readlinkSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../../oci/error.ts';
import type { Process, RuntimeConfig } from '../../oci/runtime/config.ts';

const FIRST = 3;
const FDS = '/proc/self/fd';
const EVENT_LOOP = 'anon_inode:[eventpoll]';

/** How many descriptors the caller hands over by socket activation: LISTEN_FDS, 0 where it is not set. */
export function listenFds(environment: Readonly<Record<string, string | undefined>> = process.env): number {
  return /^\d+$/.test(environment['LISTEN_FDS'] ?? '') ? Number(environment['LISTEN_FDS']) : 0;
}

/** The numbers to preserve. Throws OciError CONFIG_INVALID when the caller has not given one of them. */
export function preservedFds(count: string | undefined, listening: number = listenFds()): readonly number[] {
  if (count !== undefined && !/^\d+$/.test(count))
    throw new OciError('CONFIG_INVALID', `--preserve-fds is a number, not '${count}'`);
  const fds = Array.from({ length: listening + Number(count ?? 0) }, (_, index) => FIRST + index);
  const given = fds.length === 0 ? 0 : firstOwnFd() - FIRST;
  if (given < fds.length)
    throw new OciError('CONFIG_INVALID', `Cannot preserve ${fds.length} descriptors: there are only ${given}`);
  return fds;
}

/** This program's own begin at the lowest number that was free when it started, and Node's event loop is the first of them. */
function firstOwnFd(): number {
  const own = readdirSync(FDS)
    .map(Number)
    .filter((fd) => fd >= FIRST && linkOf(fd) === EVENT_LOOP);
  return Math.min(...own);
}

function linkOf(fd: number): string | undefined {
  try {
    return readlinkSync(`${FDS}/${fd}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined; // of the directory itself, closed meanwhile
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
