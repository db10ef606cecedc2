// berth-oci resume: let the processes of a paused container go on.
import { resumeContainer } from '../../../oci/runtime/pause.ts';
import { defineOciCommand } from '../command.ts';

export const command = defineOciCommand({
  usage: 'resume ID',
  summary: 'let the processes of a paused container go on',
  options: {},
  arguments: { min: 1, max: 1 },
  run: async ({ args: [id = ''], place }) => {
    await resumeContainer(await place(), id);
    return 0;
  },
});
