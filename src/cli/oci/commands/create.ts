// berth-oci create: everything but the program.
import { defineOciCommand } from '../command.ts';
import { CREATION_FLAGS } from '../creation-flags.ts';

export const command = defineOciCommand({
  usage: 'create [FLAGS] ID',
  summary: 'make a container, and stop before its program',
  options: CREATION_FLAGS,
  arguments: { min: 1, max: 1 },
  run: async ({ values: flags, args: [id = ''], runtime, systemd }) => {
    const { makeContainer } = await import('../make-container.ts');
    const monitor = await makeContainer(await runtime(), { id, flags, mode: 'create', stays: false, systemd });
    monitor.release();
    return 0;
  },
});
