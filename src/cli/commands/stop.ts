import { stopContainer } from '../../oci/runtime/signal-container.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { allMatches } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { parseGraceMs, requireStandalone } from '../standalone.ts';

export const command = defineCommand({
  usage: ['stop [--time SECONDS] NAME…'],
  description:
    'For containers of berth run. Sends the stop signal of the image (SIGTERM), and SIGKILL when time is up.',
  options: {
    time: { type: 'string', short: 't', value: 'SECONDS', help: 'Wait for them to end (default 10)' },
  },
  examples: ['berth stop web', 'berth stop -t 60 database'],
  arguments: { min: 1, max: Infinity },
  run: async ({ values, args, globals, output }) => {
    const graceMs = parseGraceMs(values.time);
    const host = hostOf(globals);
    const containers = allMatches(args, listContainers(host));
    requireStandalone(containers, 'stop');
    await Promise.all(containers.map(({ id }) => stopContainer(host.runtime, id, { graceMs })));
    for (const { name } of containers) output.line(name);
    return 0;
  },
});
