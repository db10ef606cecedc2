// The directories that a subPath leads through.
import { mkdirat, O_DIRECTORY, O_PATH, openat } from '../../../linux/at.ts';
import { isErrno } from '../../../linux/errno.ts';
import { AT_FDCWD } from '../../../linux/mount-flags.ts';
import { openat2, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../../../linux/openat2.ts';
import { OciError } from '../../../oci/error.ts';

/**
 * Make the missing directories of a subPath. No link on the way is followed: a container may have made it. Throws OciError
 * CONFIG_INVALID where it leads through a link or a file.
 */
export function makeBelow(volume: string, subPath: string): void {
  const names = subPath.split('/').filter((name) => name !== '' && name !== '.');
  let directory = openat(AT_FDCWD, volume, O_PATH | O_DIRECTORY);
  try {
    for (const name of names) {
      try {
        mkdirat(directory.number, name, 0o755);
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
      const below = openat2(directory.number, name, { flags: O_PATH, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS });
      directory[Symbol.dispose]();
      directory = below;
    }
  } catch (error) {
    throw new OciError('CONFIG_INVALID', `Cannot use subPath '${subPath}': ${String(error)}`, { cause: error });
  } finally {
    directory[Symbol.dispose]();
  }
}
