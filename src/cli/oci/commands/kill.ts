// berth-oci kill: a signal by name or number, to the first process or to all.
import { signalNumber } from '../../../linux/signal.ts';
import { OciError } from '../../../oci/error.ts';
import { signalAll, signalContainer } from '../../../oci/runtime/signal-container.ts';
import { defineOciCommand } from '../command.ts';

export const command = defineOciCommand({
  usage: 'kill [FLAGS] ID [SIGNAL]',
  summary: 'send a signal (default: SIGTERM) to the first process of a container',
  options: { all: { type: 'boolean', short: 'a', help: 'to all its processes' } },
  arguments: { min: 1, max: 2 },
  run: async ({ values: { all }, args: [id = '', name = 'SIGTERM'], place: open }) => {
    const runtime = await open();
    const signal = signalNumber(name);
    if (signal === undefined) throw new OciError('CONFIG_INVALID', `Unknown signal '${name}'`);
    if (all) signalAll(runtime, id, signal);
    else await signalContainer(runtime, id, signal);
    return 0;
  },
});
