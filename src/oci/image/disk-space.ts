// Free space that is left alone, so that an image can never fill the disk under everything else.
import { statfs } from 'node:fs/promises';

import { OciError } from '../error.ts';

const MAX_RESERVE_BYTES = 1024 ** 3;
const RESERVE_PART = 0.05;

export type SpaceNeed = {
  /** Any path on the file system. */
  readonly path: string;
  readonly neededBytes: number;
  /** To stay free; by default 5 % of the file system, at most 1 GiB. */
  readonly reserveBytes: number | undefined;
};

/** Throws OciError DISK_FULL when writing `neededBytes` would leave less than the reserve for everyone else. */
export async function requireSpace({ path, neededBytes, reserveBytes }: SpaceNeed): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(path);
  const reserve = reserveBytes ?? Math.min(MAX_RESERVE_BYTES, blocks * bsize * RESERVE_PART);
  const freeBytes = bavail * bsize;
  if (freeBytes - neededBytes >= reserve) return;
  const needs = neededBytes === 0 ? 'nothing more may be written' : `about ${mebibytes(neededBytes)} are needed`;
  throw new OciError(
    'DISK_FULL',
    `${path} has ${mebibytes(freeBytes)} free, of which ${mebibytes(reserve)} stay in reserve; ${needs}`,
  );
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
