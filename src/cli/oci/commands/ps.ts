// berth-oci ps: the processes of a container, in the pid namespace of the host. The table is ps(1)'s own, of those alone.
import { spawnSync } from 'node:child_process';

import { openProcesses } from '../../../linux/cgroup/cgroup-processes.ts';
import { requireState } from '../../../oci/runtime/state.ts';
import { CommandFailure } from '../../failure.ts';
import { defineOciCommand } from '../command.ts';

const MAX_OUTPUT = 64 * 1024 * 1024;

export const command = defineOciCommand({
  usage: 'ps [FLAGS] ID [OPTION OF PS…]',
  summary: 'list the processes of a container',
  options: { format: { type: 'string', short: 'f', value: 'table|json', help: 'default: table' } },
  arguments: { min: 1, max: Infinity },
  flagsFirst: true,
  run: async ({ values: { format = 'table' }, args: [id = '', ...options], place: open }) => {
    if (format !== 'table' && format !== 'json') throw new CommandFailure(`Invalid format option: '${format}'`);
    const { cgroups, stateDirectory } = await open();
    const pids = openProcesses(cgroups, requireState(stateDirectory, id).record.cgroupPath).procs();
    process.stdout.write(format === 'json' ? `${JSON.stringify(pids)}\n` : rowsOf(runPs(options), pids));
    return 0;
  },
});

function runPs(options: readonly string[]): string {
  const args = options.length === 0 ? ['-ef'] : options;
  const { error, status, stdout, stderr } = spawnSync('ps', args, { encoding: 'utf8', maxBuffer: MAX_OUTPUT });
  if (error !== undefined) throw new CommandFailure(`Cannot run ps (use --format json): ${error.message}`);
  if (status !== 0) throw new CommandFailure(`ps ${args.join(' ')} ended with ${String(status)}: ${stderr.trim()}`);
  return stdout;
}

/** The heading, and the rows of these processes. Throws CommandFailure when there is no column PID. Pure. */
export function rowsOf(table: string, pids: readonly number[]): string {
  const [heading = '', ...rows] = table.split('\n');
  const column = heading.trim().split(/\s+/).indexOf('PID');
  if (column === -1)
    throw new CommandFailure('Could not find the PID field in the output of ps: its options must ask for it');
  const own = new Set(pids);
  const shown = rows.filter((row) => own.has(Number(row.trim().split(/\s+/)[column])));
  return [heading, ...shown].map((line) => `${line}\n`).join('');
}
