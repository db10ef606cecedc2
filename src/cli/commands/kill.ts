import { signalNumber } from '../../linux/signal.ts';
import { killContainer } from '../../oci/runtime/signal-container.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { allMatches } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';

export const command = defineCommand({
  usage: ['kill [--signal SIGNAL] NAME…'],
  description: 'The agent starts a container again that a manifest declares, as its restart policy says.',
  options: {
    signal: { type: 'string', short: 's', value: 'SIGNAL', help: 'A name or a number (default KILL)' },
  },
  examples: ['berth kill web-0', 'berth kill --signal HUP web-0/nginx'],
  arguments: { min: 1, max: Infinity },
  run: async ({ values, args, globals, output }) => {
    const name = values.signal ?? 'KILL';
    const signal = signalNumber(name);
    if (signal === undefined || signal === 0) throw new CommandFailure(`There is no signal '${name}'`);
    const host = hostOf(globals);
    const running = listContainers(host).filter(({ status }) => status !== 'exited');
    for (const container of allMatches(args, running)) {
      killContainer(host.runtime, container.id, signal);
      output.line(container.name);
    }
    return 0;
  },
});
