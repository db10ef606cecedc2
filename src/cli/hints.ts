// What to do about an error, by its code.

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'berth needs root, or --root and --state that you own',
  EPERM: 'berth needs root',
  ENOSPC: 'The disk is full: berth image prune frees what nothing uses',
  DISK_FULL: 'berth image prune frees what nothing uses',
  CONTAINER_UNKNOWN: 'berth ps -a lists the containers',
  IMAGE_MISSING: 'berth images lists the images; berth pull fetches one',
  REGISTRY_UNAUTHORIZED: 'Log in with docker login or podman login: berth reads the credentials that they leave',
  REGISTRY_NOT_FOUND: 'Check the name and the tag',
  REGISTRY_UNREACHABLE: 'Check the network, the name of the registry and its proxy',
  REGISTRY_RATE_LIMITED: 'Log in, or try again later',
  PORT_IN_USE: 'berth ps lists the ports of containers; ss -ltnp those of programs',
};

/** A hint for an error whose code is known to need one. */
export function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return HINTS[String(error.code)];
}
