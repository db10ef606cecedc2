// The options that every command has.
import { resolvePlaces } from '../agent/places.ts';
import { parseUnpackMode } from '../oci/image/unpack-mode.ts';
import type { Globals, Values } from './command.ts';
import { CommandFailure } from './failure.ts';

export const GLOBAL_OPTIONS = {
  root: { type: 'string', value: 'DIR', help: 'Images, logs, volumes (default /var/lib/berth, BERTH_ROOT)' },
  state: { type: 'string', value: 'DIR', help: 'What runs; gone at reboot (default /run/berth, BERTH_STATE)' },
  'cgroup-parent': {
    type: 'string',
    value: 'PATH',
    help: 'Cgroup above all containers (default /berth, BERTH_CGROUP_PARENT)',
  },
  unpack: {
    type: 'string',
    value: 'HOW',
    help: 'Keep layers as erofs or extract them (default auto: what works, BERTH_UNPACK)',
  },
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    help: 'error, warn, info or debug (default info, BERTH_LOG_LEVEL)',
  },
} as const;

/** Flags over environment over defaults. Throws CommandFailure on a value that cannot be. */
export function resolveGlobals(
  values: Values<typeof GLOBAL_OPTIONS>,
  environment: Readonly<Record<string, string | undefined>>,
): Globals {
  const flags = { root: values.root, state: values.state, cgroupParent: values['cgroup-parent'] };
  try {
    return {
      ...resolvePlaces(flags, environment),
      unpack: parseUnpackMode(values.unpack ?? (environment['BERTH_UNPACK'] || undefined)),
      logLevel: values['log-level'] ?? environment['BERTH_LOG_LEVEL'],
    };
  } catch (error) {
    if (error instanceof RangeError) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}
