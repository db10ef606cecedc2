// berth-oci run: create and start; unless detached, wait, delete, and end as the process did.
import { shellExitCode } from '../../../linux/siginfo.ts';
import { deleteContainer } from '../../../oci/runtime/delete.ts';
import type { StartedMonitor } from '../../../oci/runtime/create.ts';
import { defineOciCommand } from '../command.ts';
import { CREATION_FLAGS } from '../creation-flags.ts';
import { makeContainer } from '../make-container.ts';
import { runForeground } from '../foreground.ts';

const LOST = 255;

export const command = defineOciCommand({
  usage: 'run [FLAGS] ID',
  summary: 'make a container and run its program to the end',
  options: {
    ...CREATION_FLAGS,
    detach: { type: 'boolean', short: 'd', help: 'do not wait for the end' },
    keep: { type: 'boolean', help: 'do not delete the container at its end' },
    'no-subreaper': { type: 'boolean', help: 'taken and not looked at' },
  },
  arguments: { min: 1, max: 1 },
  run: async ({ values: flags, args: [id = ''], runtime: open, systemd }) => {
    const runtime = await open();
    const make = (): Promise<StartedMonitor> =>
      makeContainer(runtime, { id, flags, mode: 'run', stays: !flags.detach, systemd });
    if (flags.detach) {
      (await make()).release();
      return 0;
    }
    const exit = await runForeground(make);
    if (!flags.keep) await deleteContainer(runtime, id, { force: true });
    return exit === undefined ? LOST : shellExitCode(exit);
  },
});
