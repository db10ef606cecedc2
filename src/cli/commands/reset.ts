import { takeAgentLock } from '../../agent/agent-lock.ts';
import { resetHost } from '../../oci/pod/reset.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { existingHost } from '../open-host.ts';
import { parseGraceMs } from '../standalone.ts';

export const command = defineCommand({
  usage: ['reset --yes [--time SECONDS]'],
  description: 'Everything that runs below --state is stopped and removed: containers, pods, networks. Images stay.',
  options: {
    yes: { type: 'boolean', short: 'y', help: 'Do it; without, only say what would go' },
    time: { type: 'string', short: 't', value: 'SECONDS', help: 'Wait for containers to end (default 10)' },
  },
  examples: ['berth reset', 'berth reset --yes'],
  arguments: { min: 0, max: 0 },
  run: async ({ values, globals, output }) => {
    const host = existingHost(globals);
    if (host === undefined) return 0;
    const containers = listContainers(host);
    if (!values.yes) {
      throw new CommandFailure(`reset would remove ${containers.length} containers with all they wrote`, {
        hint: 'berth reset --yes does it',
      });
    }
    using _lock = takeAgentLock(globals);
    await resetHost(host, { graceMs: parseGraceMs(values.time) });
    for (const { name } of containers) output.line(name);
    return 0;
  },
});
