import { defineCommand } from '../command.ts';
import { hostOf } from '../open-host.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import { formatSize } from '../output/quantities.ts';

export const command = defineCommand({
  usage: ['pull IMAGE [-o json|yaml]'],
  description:
    'Layers that are here are not fetched again, and an interrupted download goes on where it stopped. Credentials are\n' +
    'those of docker login and podman login, or of the credential helpers that config.json names.',
  options: { ...formatOption },
  examples: ['berth pull nginx:1.27', 'berth pull ghcr.io/owner/app@sha256:…', 'berth pull localhost:5000/app:1'],
  arguments: { min: 1, max: 1 },
  run: async ({ values, args: [reference = ''], globals, output }) => {
    const format = parseFormat(values.output);
    const host = hostOf(globals);
    // A thread takes as long to start as all that speaks to registries takes to load.
    host.layers.prepare();
    const { pullWithProgress } = await import('../pull-image.ts');
    const image = await pullWithProgress(host, reference, output);
    const { reference: name, digest, sizeBytes } = image;
    if (format === 'table') output.line(`${name}  ${digest}  ${formatSize(sizeBytes)}`);
    else await printStructured(output, format, { reference: name, digest, sizeBytes });
    return 0;
  },
});
