import { join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { isLocked } from '../../linux/flock.ts';
import { readState } from '../../oci/runtime/state.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { Interrupt } from '../interrupt.ts';
import { logOf } from '../log-file.ts';
import { oneMatch } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { printLog, type LogRequest } from '../print-log.ts';
import { timeOption } from '../time-option.ts';

export const command = defineCommand({
  usage: ['logs [-f] [-p] [-t] [--tail N] [--since TIME] [--until TIME] NAME'],
  description: [
    'Standard output and error, in the order in which they were written. -f ends when the container does.',
    '',
    'TIME is how long ago (10m, 1h30m), RFC 3339, or seconds since the epoch. A container writes its log itself;',
    'the agent notes when the file changes, once a second at most. So times are exact to a second, and --since and',
    '--until rather show a line too many than one too few. What was written while no agent ran bears the time of',
    'the last write before one looked.',
  ].join('\n'),
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on with what it writes from now on' },
    previous: { type: 'boolean', short: 'p', help: 'Of the run before this one' },
    tail: { type: 'string', short: 'n', value: 'N', help: 'Only the last N lines' },
    since: { type: 'string', value: 'TIME', help: 'Only lines written then or later' },
    until: { type: 'string', value: 'TIME', help: 'Only lines written until then' },
    timestamps: { type: 'boolean', short: 't', help: 'Put the time before each line' },
  },
  examples: ['berth logs web-0', 'berth logs -f --tail 20 web-0/nginx', 'berth logs -p --since 10m -t web-0'],
  arguments: { min: 1, max: 1 },
  run: async ({ values, args: [name = ''], globals, output }) => {
    const now = Date.now();
    const selection = {
      tail: parseTail(values.tail),
      since: timeOption('--since', values.since, now),
      until: timeOption('--until', values.until, now),
      timestamps: values.timestamps,
    };
    const host = hostOf(globals);
    const container = oneMatch(name, listContainers(host));
    const path = logOf(host, container, values);
    const follow = values.follow && !values.previous;
    const request: LogRequest = {
      ...selection,
      path,
      isWatched: () => isLocked(join(globals.root, 'agent.lock')),
      hasEnded: follow ? () => readState(host.paths.state, container.id)?.status !== 'running' : undefined,
    };
    using interrupt = new Interrupt();
    try {
      await printLog(request, output, interrupt.signal);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new CommandFailure(`${container.name} has no log: ${path} is gone`);
      throw error;
    }
    return 0;
  },
});

function parseTail(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new CommandFailure(`--tail takes a number of lines, not '${text}'`);
  return Number(text);
}
