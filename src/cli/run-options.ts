// The flags of `berth run` → what the container shall be. Pure.
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';

import type { NetworkMode } from '../oci/pod/sandbox.ts';
import type { Mount, Resources } from '../oci/runtime/config.ts';
import type { PublishedPort } from '../oci/network/published-port.ts';
import { CommandFailure } from './failure.ts';

const MAX_PORT = 65_535;
const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1_000;
const DEFAULT_PIDS = 4096;

/** `8080:80`, `127.0.0.1:53:53/udp`, `[::1]:8080:80`. Throws CommandFailure. */
export function parsePort(text: string): PublishedPort {
  const match = /^(?:(?<ip>\[[^\]]+\]|[^:[\]]+):)?(?<host>\d+):(?<inside>\d+)(?:\/(?<protocol>tcp|udp|sctp))?$/i.exec(
    text,
  );
  const { ip, host, inside, protocol = 'tcp' } = match?.groups ?? {};
  const hostIP = ip?.startsWith('[') === true ? ip.slice(1, -1) : ip;
  if (!isPort(host) || !isPort(inside) || (hostIP !== undefined && isIP(hostIP) === 0)) {
    throw new CommandFailure(`'${text}' is not a port to publish`, {
      hint: 'Write [ADDRESS:]PORT-HERE:PORT-INSIDE[/udp], such as 8080:80',
    });
  }
  return {
    hostPort: Number(host),
    containerPort: Number(inside),
    hostIP,
    protocol: protocol.toUpperCase() as PublishedPort['protocol'],
  };
}

function isPort(text: string | undefined): text is string {
  return text !== undefined && Number(text) >= 1 && Number(text) <= MAX_PORT;
}

/** `/data:/var/lib/app`, `./site:/srv:ro`. The source must exist. Throws CommandFailure. */
export function parseVolume(text: string): Mount {
  const [source = '', destination = '', mode = 'rw', ...rest] = text.split(':');
  const sound = /^\.{0,2}\//.test(source) || source === '.' || source === '..';
  if (!sound || !destination.startsWith('/') || !['ro', 'rw'].includes(mode) || rest.length > 0) {
    throw new CommandFailure(`'${text}' is not a volume`, {
      hint: 'Write SOURCE:DESTINATION[:ro], where SOURCE is a path of this machine (/data, ./data)',
    });
  }
  const path = resolve(source);
  if (!existsSync(path)) throw new CommandFailure(`Cannot mount ${path}: there is no such file or directory`);
  const options = ['rbind', 'rprivate', ...(mode === 'ro' ? ['rro'] : [])];
  return { destination, type: 'bind', source: path, options };
}

/** `NAME=value`; `NAME` alone takes the value that this process has, if any. Throws CommandFailure. */
export function parseVariable(text: string, environment: Readonly<Record<string, string | undefined>>): string[] {
  const [name = ''] = text.split('=', 1);
  if (name === '') throw new CommandFailure(`'${text}' is not a variable: write NAME=value`);
  if (text.includes('=')) return [text];
  const value = environment[text];
  return value === undefined ? [] : [`${text}=${value}`];
}

/** `bridge`, `host` or `none`. Throws CommandFailure. */
export function parseNetwork(text: string | undefined): NetworkMode {
  const mode = text ?? 'bridge';
  if (mode === 'bridge' || mode === 'host' || mode === 'none') return mode;
  throw new CommandFailure(`--network takes bridge, host or none, not '${mode}'`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `512m`, `1g`, `1073741824`: bytes, with binary units as docker has them. Throws CommandFailure. */
export function parseMemory(text: string): number {
  const match = /^(?<number>\d+(?:\.\d+)?)(?<unit>[bkmgt]?)i?b?$/i.exec(text);
  const unit = UNITS[match?.groups?.['unit']?.toLowerCase() ?? '?'];
  const bytes = Math.floor(Number(match?.groups?.['number']) * (unit ?? NaN));
  if (!Number.isSafeInteger(bytes) || bytes <= 0) {
    throw new CommandFailure(`--memory takes a size such as 512m, not '${text}'`);
  }
  return bytes;
}

export type LimitFlags = {
  readonly memory: string | undefined;
  readonly cpus: string | undefined;
  readonly pids: string | undefined;
};

/** The limits of the container. Throws CommandFailure. */
export function parseLimits({ memory, cpus, pids }: LimitFlags): Resources {
  return {
    ...(memory === undefined ? {} : { memory: { limit: parseMemory(memory) } }),
    ...(cpus === undefined ? {} : { cpu: { quota: parseQuota(cpus), period: CPU_PERIOD_US } }),
    pids: { limit: pids === undefined ? DEFAULT_PIDS : parsePids(pids) },
  };
}

function parseQuota(text: string): number {
  const quota = /^\d+(\.\d+)?$|^\.\d+$/.test(text) ? Math.round(Number(text) * CPU_PERIOD_US) : NaN;
  if (!(quota > 0)) throw new CommandFailure(`--cpus takes a number of processors such as 1.5, not '${text}'`);
  return Math.max(quota, MIN_QUOTA_US);
}

function parsePids(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new CommandFailure(`--pids-limit takes a number from 1, not '${text}'`);
}

export type CommandLine = { readonly command?: readonly string[]; readonly args?: readonly string[] };

/** The program to run: `--entrypoint` and the words behind the image, against what the image says. */
export function commandLine(entrypoint: string | undefined, rest: readonly string[]): CommandLine {
  if (entrypoint === '') return { command: rest };
  if (entrypoint !== undefined) return { command: [entrypoint], args: rest };
  return rest.length === 0 ? {} : { args: rest };
}
