// berth-oci checkpoint: refused. It needs CRIU, and a runtime that was built around it.
import { CommandFailure } from '../../failure.ts';
import { defineOciCommand } from '../command.ts';

export const command = defineOciCommand({
  usage: 'checkpoint ID',
  summary: 'not supported',
  options: {},
  arguments: { min: 0, max: Infinity },
  flagsFirst: true,
  run: () => Promise.reject(new CommandFailure('checkpoint is not supported: berth-oci has no part in CRIU')),
});
