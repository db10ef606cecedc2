// Questions about linux.namespaces that mounts ask.
import type { NamespaceType, RuntimeConfig } from './config.ts';

/** Whether the container has a namespace of this type that is not the runtime's: a new one, or one it joins. */
export function hasNamespace({ linux }: RuntimeConfig, wanted: NamespaceType): boolean {
  return (linux?.namespaces ?? []).some(({ type }) => type === wanted);
}

/** In a user namespace nobody has the host's privileges: no device node can be made, and sources of root are out of reach. */
export function hasUserNamespace(config: RuntimeConfig): boolean {
  return hasNamespace(config, 'user');
}

/** Whether its mounts are its own: else they are made in the runtime's mount namespace, or in one that it joins. */
export function hasOwnMounts({ linux }: RuntimeConfig): boolean {
  return (linux?.namespaces ?? []).some(({ type, path }) => type === 'mount' && (path === undefined || path === ''));
}
