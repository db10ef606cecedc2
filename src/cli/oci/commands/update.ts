// berth-oci update: other limits for a container that runs, or is paused.
import { readFileSync } from 'node:fs';

import type { CgroupResources } from '../../../linux/cgroup/resources.ts';
import { OciError } from '../../../oci/error.ts';
import { mergeLimits } from '../../../oci/runtime/merge-limits.ts';
import { updateContainer } from '../../../oci/runtime/update.ts';
import { CommandFailure } from '../../failure.ts';
import { defineOciCommand } from '../command.ts';
import { LIMIT_FLAGS, limitsOf } from '../update-resources.ts';

const STDIN = 0;

export const command = defineOciCommand({
  usage: 'update [FLAGS] ID',
  summary: 'change the limits of a container',
  options: {
    resources: {
      type: 'string',
      short: 'r',
      value: 'FILE|-',
      help: 'linux.resources as JSON, from a file or standard input',
    },
    ...LIMIT_FLAGS,
    'l3-cache-schema': { type: 'string', value: 'SCHEMA', help: 'not supported' },
    'mem-bw-schema': { type: 'string', value: 'SCHEMA', help: 'not supported' },
  },
  arguments: { min: 1, max: 1 },
  run: async ({ values: flags, args: [id = ''], place, log }) => {
    if (flags['l3-cache-schema'] !== undefined || flags['mem-bw-schema'] !== undefined)
      throw new CommandFailure(
        '--l3-cache-schema and --mem-bw-schema are not supported: there is no part for Intel RDT',
      );
    const limits = mergeLimits(flags.resources === undefined ? {} : readResources(flags.resources), limitsOf(flags));
    for (const note of await updateContainer(await place(), id, limits)) log('warning', note);
    return 0;
  },
});

/** linux.resources of config-linux.md. Rules for devices are left out, as with runc: containerd sends those of the start again, and others
 * may have allowed more since. */
function readResources(file: string): CgroupResources {
  try {
    const { devices: _devices, ...limits } = JSON.parse(
      readFileSync(file === '-' ? STDIN : file, 'utf8'),
    ) as CgroupResources;
    return limits;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('CONFIG_INVALID', `Cannot read the limits in ${file}: ${reason}`, { cause: error });
  }
}
