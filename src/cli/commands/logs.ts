import { open } from 'node:fs/promises';

import { isErrno } from '../../linux/errno.ts';
import type { Host } from '../../oci/host.ts';
import { readState } from '../../oci/runtime/state.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { Interrupt } from '../interrupt.ts';
import { logOf } from '../log-file.ts';
import { oneMatch } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import type { Output } from '../output/output.ts';
import { changed, copyFrom, tailOffset } from '../tail-file.ts';

export const command = defineCommand({
  usage: ['logs [-f] [-p] [--tail N] NAME'],
  description: 'Standard output and error, in the order in which they were written. -f ends when the container does.',
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on with what it writes from now on' },
    previous: { type: 'boolean', short: 'p', help: 'Of the run before this one' },
    tail: { type: 'string', short: 'n', value: 'N', help: 'Only the last N lines' },
  },
  examples: ['berth logs web-0', 'berth logs -f --tail 20 web-0/nginx', 'berth logs -p web-0'],
  arguments: { min: 1, max: 1 },
  run: async ({ values, args: [name = ''], globals, output }) => {
    const lines = parseTail(values.tail);
    const host = hostOf(globals);
    const container = oneMatch(name, listContainers(host));
    const path = logOf(host, container, values);
    const follow = values.follow && !values.previous;
    try {
      await printLog(host, { path, lines, id: follow ? container.id : undefined }, output);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new CommandFailure(`${container.name} has no log: ${path} is gone`);
      throw error;
    }
    return 0;
  },
});

type LogRequest = {
  readonly path: string;
  readonly lines: number | undefined;
  /** Follow until this container ends. */
  readonly id: string | undefined;
};

async function printLog(host: Host, { path, lines, id }: LogRequest, output: Output): Promise<void> {
  await using file = await open(path, 'r');
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  let offset = lines === undefined ? 0 : await tailOffset(file, lines);
  for (;;) {
    // Asked before reading: what it wrote before its end is there then.
    const ended = id === undefined || readState(host.paths.state, id)?.status !== 'running';
    offset = await copyFrom(file, offset, output.send);
    if (ended || signal.aborted) return;
    await changed(path, signal);
  }
}

function parseTail(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new CommandFailure(`--tail takes a number of lines, not '${text}'`);
  return Number(text);
}
