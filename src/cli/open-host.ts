// The host of a command: the same places as the agent's.
import { existsSync } from 'node:fs';

import { forbidDumps } from '../linux/prctl.ts';
import { openHost, type Host } from '../oci/host.ts';
import type { Globals } from './command.ts';

/** Open the host, making its directories. Throws what making them throws. */
export function hostOf({ root, state, cgroupParent, unpack }: Globals): Host {
  forbidDumps(); // what it makes may have the same user, and see it: nobody is to look into its memory
  return openHost({ root, state, cgroupParent }, { unpack });
}

/** As `hostOf`, for commands that only look: undefined where nothing has ever run, so that looking leaves nothing behind. */
export function existingHost(globals: Globals): Host | undefined {
  return existsSync(globals.state) && existsSync(globals.root) ? hostOf(globals) : undefined;
}
