// What a container was made from, read again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseConfigText } from './config-text.ts';
import type { RuntimeConfig } from './config.ts';
import { containerDirectory } from './record.ts';
import type { RuntimePlace } from './runtime.ts';
import { requireState } from './state.ts';

/** The configuration that the container was made from: defaults for a process in it. Throws OciError CONTAINER_UNKNOWN. */
export function readConfig({ stateDirectory }: RuntimePlace, id: string): RuntimeConfig {
  requireState(stateDirectory, id);
  return parseConfigText(
    readFileSync(join(containerDirectory(stateDirectory, id), 'config.json'), 'utf8'),
  ) as RuntimeConfig;
}
