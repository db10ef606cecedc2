// berth-oci features: what it can do, as JSON.
import { defineOciCommand } from '../command.ts';
import { featuresDocument } from '../features-document.ts';

export const command = defineOciCommand({
  usage: 'features',
  summary: 'print what the runtime can do as JSON',
  options: {},
  arguments: { min: 0, max: 0 },
  run: () => {
    process.stdout.write(`${JSON.stringify(featuresDocument(), undefined, 4)}\n`);
    return Promise.resolve(0);
  },
});
