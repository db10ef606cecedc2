// The flags before the command. Those that runc takes and berth-oci has no use for are taken too.
import type { Values } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import type { LogOptions } from './runtime-log.ts';

export const GLOBAL_FLAGS = {
  root: { type: 'string', value: 'DIR', help: 'where the state of containers lies (default: /run/berth-oci)' },
  log: { type: 'string', value: 'FILE', help: 'write messages to this file too' },
  'log-format': { type: 'string', value: 'text|json', help: 'how they are written there (default: text)' },
  debug: { type: 'boolean', help: 'more messages' },
  'systemd-cgroup': { type: 'boolean', help: 'cgroupsPath is slice:prefix:name, and systemd makes the cgroup' },
  rootless: { type: 'string', value: 'auto|true|false', help: 'taken and not looked at' },
  'cgroup-manager': { type: 'string', value: 'cgroupfs|systemd', help: 'as crun has it: systemd is --systemd-cgroup' },
  criu: { type: 'string', value: 'PATH', help: 'taken and not looked at' },
  help: { type: 'boolean', short: 'h', help: 'print help' },
  version: { type: 'boolean', short: 'v', help: 'print the version' },
} as const;

type GlobalValues = Values<typeof GLOBAL_FLAGS>;

/** Where messages go. Throws CommandFailure on a format that is none. */
export function logOptions(values: GlobalValues): LogOptions {
  const format = values['log-format'] ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new CommandFailure(`Invalid log format: --log-format is text or json, not '${format}'`);
  return { file: values.log === '' ? undefined : values.log, format, debug: values.debug };
}

/** Whether systemd is to make the cgroups. Throws CommandFailure on a manager that is none. */
export function usesSystemd(values: GlobalValues): boolean {
  const manager = values['cgroup-manager'] ?? 'cgroupfs';
  if (!['cgroupfs', 'systemd', 'disabled'].includes(manager))
    throw new CommandFailure(`--cgroup-manager is cgroupfs or systemd, not '${manager}'`);
  if (manager === 'disabled') throw new CommandFailure('--cgroup-manager disabled: every container has a cgroup');
  return values['systemd-cgroup'] || manager === 'systemd';
}
