// Mounts of EROFS images that are attached nowhere: descriptors. They are in no mount namespace, so nothing leaks from the host
// and nothing is busy when they are closed.
import { O_DIRECTORY, O_PATH, openat } from '../../../linux/at.ts';
import type { Fd } from '../../../linux/fd.ts';
import { fsconfigCreate, fsconfigSet, fsmount, fsopen } from '../../../linux/mount-api.ts';
import { AT_FDCWD, MOUNT_ATTR_FLAGS } from '../../../linux/mount-flags.ts';

/** What a layer is mounted with: it can be read, and no more. */
const ATTRIBUTES =
  MOUNT_ATTR_FLAGS.MOUNT_ATTR_RDONLY | MOUNT_ATTR_FLAGS.MOUNT_ATTR_NODEV | MOUNT_ATTR_FLAGS.MOUNT_ATTR_NOSUID;

export type ErofsFiles = { readonly image: string; readonly tar: string };

/**
 * Mount the image `image` with the data in `tar`, both names in `directory`. Linux 6.12 (EROFS_FS_BACKED_BY_FILE). Throws
 * SyscallError.
 */
export function mountErofs(directory: string, { image, tar }: ErofsFiles): Fd {
  // Options are of at most 255 bytes, paths are not.
  using place = openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY);
  const at = `/proc/self/fd/${place.number}`;
  using context = fsopen('erofs');
  fsconfigSet(context, 'source', `${at}/${image}`);
  fsconfigSet(context, 'device', `${at}/${tar}`);
  fsconfigSet(context, 'ro');
  fsconfigCreate(context);
  return fsmount(context, ATTRIBUTES);
}
