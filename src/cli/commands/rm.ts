import { removePod } from '../../oci/pod/remove.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { allMatches } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { requireStandalone } from '../standalone.ts';

export const command = defineCommand({
  usage: ['rm [--force] NAME…'],
  description: 'For containers of berth run. What they wrote goes with them; volumes stay.',
  options: {
    force: { type: 'boolean', short: 'f', help: 'Kill what runs' },
  },
  examples: ['berth rm web', 'berth rm -f web', 'berth rm $(berth ps -aq)'],
  arguments: { min: 1, max: Infinity },
  run: async ({ values, args, globals, output }) => {
    const host = hostOf(globals);
    const containers = allMatches(args, listContainers(host));
    requireStandalone(containers, 'remove');
    const running = containers.find(({ status }) => status !== 'exited');
    if (running !== undefined && !values.force) {
      throw new CommandFailure(`Cannot remove ${running.name}: it is ${running.status}`, {
        hint: `berth stop ${running.name}, or berth rm --force`,
      });
    }
    for (const { podUid, name } of containers) {
      await removePod(host, podUid, { graceMs: 0 });
      output.line(name);
    }
    return 0;
  },
});
