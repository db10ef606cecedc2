// berth-oci pause: stop every process of a container.
import { pauseContainer } from '../../../oci/runtime/pause.ts';
import { defineOciCommand } from '../command.ts';

export const command = defineOciCommand({
  usage: 'pause ID',
  summary: 'stop every process of a container',
  options: {},
  arguments: { min: 1, max: 1 },
  run: async ({ args: [id = ''], place }) => {
    await pauseContainer(await place(), id);
    return 0;
  },
});
