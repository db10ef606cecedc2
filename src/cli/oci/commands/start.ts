// berth-oci start: let the program of a created container run.
import { startContainer } from '../../../oci/runtime/start.ts';
import { defineOciCommand } from '../command.ts';

export const command = defineOciCommand({
  usage: 'start ID',
  summary: 'run the program of a created container',
  options: {},
  arguments: { min: 1, max: 1 },
  run: async ({ args: [id = ''], runtime }) => {
    await startContainer(await runtime(), id);
    return 0;
  },
});
