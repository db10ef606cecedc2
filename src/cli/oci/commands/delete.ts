// berth-oci delete: a container that has stopped, or was never started; with force, any, and one that is not there is fine.
import { deleteContainer } from '../../../oci/runtime/delete.ts';
import { readState } from '../../../oci/runtime/state.ts';
import { defineOciCommand } from '../command.ts';

export const command = defineOciCommand({
  usage: 'delete [FLAGS] ID',
  summary: 'delete a container that has stopped',
  options: { force: { type: 'boolean', short: 'f', help: 'kill it first where it runs' } },
  arguments: { min: 1, max: 1 },
  run: async ({ values: { force }, args: [id = ''], runtime: open }) => {
    const runtime = await open();
    if (force && readState(runtime.stateDirectory, id) === undefined) return 0;
    await deleteContainer(runtime, id, { force });
    return 0;
  },
});
