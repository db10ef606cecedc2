// Where this berth keeps what it has: flags over environment over defaults. Every command and the agent go by it, so that
// several agents can live side by side (design: "On disk").
import { resolve } from 'node:path';

export type Places = {
  /** `--root`, BERTH_ROOT: durable. */
  readonly root: string;
  /** `--state`, BERTH_STATE: gone at reboot. */
  readonly state: string;
  /** `--cgroup-parent`, BERTH_CGROUP_PARENT. */
  readonly cgroupParent: string;
};

export type PlaceFlags = { readonly [K in keyof Places]: string | undefined };

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULTS: Places = { root: '/var/lib/berth', state: '/run/berth', cgroupParent: '/berth' };

/** Resolve the three places; relative paths are against the working directory. Throws RangeError on a cgroup that is no path. */
export function resolvePlaces(flags: PlaceFlags, environment: Environment): Places {
  const { root, state } = DEFAULTS;
  return {
    root: resolve(flags.root ?? given(environment['BERTH_ROOT']) ?? root),
    state: resolve(flags.state ?? given(environment['BERTH_STATE']) ?? state),
    cgroupParent: cgroupPath(flags.cgroupParent ?? given(environment['BERTH_CGROUP_PARENT']) ?? DEFAULTS.cgroupParent),
  };
}

/** An empty variable is one that is not set. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function cgroupPath(text: string): string {
  const segments = text.split('/').filter((segment) => segment !== '');
  if (segments.length === 0 || segments.some((segment) => segment === '.' || segment === '..')) {
    throw new RangeError(`'${text}' cannot be the parent of cgroups: it must be a path such as /berth`);
  }
  return `/${segments.join('/')}`;
}

/** The socket on which the agent of these places answers. */
export function controlSocketPath({ state }: Pick<Places, 'state'>): string {
  return `${state}/agent.sock`;
}
