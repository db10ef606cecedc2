// berth-oci state: one container as JSON.
import { requireState } from '../../../oci/runtime/state.ts';
import { defineOciCommand } from '../command.ts';
import { stateDocument } from '../state-document.ts';

export const command = defineOciCommand({
  usage: 'state ID',
  summary: 'print the state of a container as JSON',
  options: {},
  arguments: { min: 1, max: 1 },
  run: async ({ args: [id = ''], place: open }) => {
    const runtime = await open();
    const document = stateDocument(runtime, requireState(runtime.stateDirectory, id));
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  },
});
