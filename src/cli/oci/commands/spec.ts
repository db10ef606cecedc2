// berth-oci spec: a config.json to begin with.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno } from '../../../linux/errno.ts';
import { CommandFailure } from '../../failure.ts';
import { defineOciCommand } from '../command.ts';
import { exampleConfig } from '../example-config.ts';

export const command = defineOciCommand({
  usage: 'spec [FLAGS]',
  summary: 'write a config.json to begin with',
  options: {
    bundle: { type: 'string', short: 'b', value: 'DIR', help: 'where (default: the current directory)' },
    rootless: { type: 'boolean', help: 'not supported' },
  },
  arguments: { min: 0, max: 0 },
  run: ({ values: { bundle = '.', rootless } }) => {
    if (rootless) throw new CommandFailure('spec --rootless is not supported: berth-oci runs as root');
    const file = join(bundle, 'config.json');
    try {
      writeFileSync(file, `${JSON.stringify(exampleConfig(), undefined, 2)}\n`, { flag: 'wx', mode: 0o666 });
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new CommandFailure(`File ${file} exists: remove it first`, { cause: error });
      throw error;
    }
    return Promise.resolve(0);
  },
});
