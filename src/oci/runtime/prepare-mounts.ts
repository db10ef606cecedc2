// What some mounts need before there is a tape: `idmap` a user namespace with the mappings, `tmpcopyup` a file system that is
// filled. Both reach the tape as descriptors.
import type { Fd } from '../../linux/fd.ts';
import { OciError } from '../error.ts';
import type { Mount, RuntimeConfig } from './config.ts';
import { preparedFd } from './mount-facts.ts';
import { parseMountOptions } from './mount-options.ts';
import { isBind } from './plain-mounts.ts';
import type { Rootfs } from './rootfs-operations.ts';

/** Descriptors of this process, by the place of their mount in the list. The caller disposes of it. */
export class PreparedMounts implements Disposable {
  readonly #fds: ReadonlyMap<number, Fd>;

  constructor(fds: ReadonlyMap<number, Fd>) {
    this.#fds = fds;
  }

  /** The mounts that something was made for. */
  get indexes(): ReadonlySet<number> {
    return new Set(this.#fds.keys());
  }

  /** [ours, theirs] for spawnTape. */
  get fds(): (readonly [from: number, to: number])[] {
    return [...this.#fds].map(([index, fd]) => [fd.number, preparedFd(index)]);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) fd[Symbol.dispose]();
  }
}

/** The mounts of config.json that `prepareMounts` has work with. Pure. */
export function mountsToPrepare({ mounts = [] }: RuntimeConfig): ReadonlySet<number> {
  return new Set(mounts.flatMap((mount, index) => (needsPreparation(mount) ? [index] : [])));
}

/** Make what these mounts need. Rejects with OciError CONFIG_INVALID on mappings that the kernel does not take. */
export async function prepareMounts(config: RuntimeConfig, rootfs: Rootfs): Promise<PreparedMounts> {
  const fds = new Map<number, Fd>();
  try {
    for (const index of mountsToPrepare(config)) {
      const mount = config.mounts?.[index];
      if (mount === undefined) continue;
      fds.set(index, await prepared(mount, config, rootfs));
    }
  } catch (error) {
    new PreparedMounts(fds)[Symbol.dispose]();
    throw error;
  }
  return new PreparedMounts(fds);
}

/** What makes either is loaded for it: few containers have such mounts. */
async function prepared(mount: Mount, config: RuntimeConfig, rootfs: Rootfs): Promise<Fd> {
  if (isBind(mount)) return mappingsOf(mount, config);
  const { fillTmpfs } = await import('./copy-up.ts');
  return fillTmpfs(mount, rootfs);
}

function needsPreparation(mount: Mount): boolean {
  const options = mount.options ?? [];
  return isBind(mount)
    ? options.some((option) => option === 'idmap' || option === 'ridmap')
    : mount.type === 'tmpfs' && options.includes('tmpcopyup');
}

/** Its own, else the container's (config.md "Mounts", `idmap`). */
async function mappingsOf(mount: Mount, { linux = {} }: RuntimeConfig): Promise<Fd> {
  const uid = mount.uidMappings ?? linux.uidMappings ?? [];
  const gid = mount.gidMappings ?? linux.gidMappings ?? [];
  if (uid.length > 0 && gid.length > 0) {
    const { makeUserNamespace } = await import('./user-namespace.ts');
    return makeUserNamespace({ uid, gid });
  }
  const { idmap } = parseMountOptions(mount.options ?? []);
  const message = `Cannot mount '${mount.source}' on ${mount.destination} with '${idmap}'`;
  throw new OciError('CONFIG_INVALID', `${message}: there are neither mappings of its own nor the container's`);
}
