// The caller's streams are given to the user of the process, as runc does: else a program that is not root could not open
// /dev/stdout again. Pipes only: files and terminals stay their owner's, and /dev/null everybody's.
import { fchownSync, fstatSync } from 'node:fs';

import { isErrno } from '../../linux/errno.ts';
import type { IdMapping, Linux } from './config.ts';

/** Change their owner to what `uid` of the container is on the machine. Streams that cannot change it keep it. */
export function giveStreams(fds: readonly number[], uid: number, linux: Linux): void {
  const owner = hostUid(uid, linux);
  if (owner === undefined) return;
  for (const fd of fds) {
    const stat = fstatSync(fd);
    if (stat.uid === owner || !stat.isFIFO()) continue;
    try {
      fchownSync(fd, owner, stat.gid);
    } catch (error) {
      if (!isErrno(error, 'EPERM', 'EROFS', 'EINVAL')) throw error;
    }
  }
}

/** Undefined where a user namespace that is joined says it, or none does. */
export function hostUid(uid: number, { namespaces = [], uidMappings = [] }: Linux): number | undefined {
  const user = namespaces.find(({ type }) => type === 'user');
  if (user === undefined) return uid;
  const covers = ({ containerID, size }: IdMapping): boolean => uid >= containerID && uid < containerID + size;
  const mapping = uidMappings.find(covers);
  return mapping === undefined ? undefined : mapping.hostID + uid - mapping.containerID;
}
