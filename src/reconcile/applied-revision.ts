// The revision of a source that was put in force last, on disk: what comes next must descend from it, also after a restart.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno } from '../linux/errno.ts';
import { SourceError } from './source.ts';
import { compareVersions, parseVersion } from './version-range.ts';

export type AppliedRevision = { readonly commit: string; readonly version: string | undefined };

const NAME = 'applied';
const TEXT = /^(?<commit>[0-9a-f]{40}(?:[0-9a-f]{24})?)(?: (?<version>\S+))?\n$/;

/**
 * Undefined when none was. Rejects with SourceError SOURCE_IO when it cannot be told: a damaged file must not let an older
 * revision in.
 */
export async function readApplied(directory: string): Promise<AppliedRevision | undefined> {
  const path = join(directory, NAME);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new SourceError('SOURCE_IO', `Cannot read ${path}, which says what was applied last`, { cause: error });
  });
  if (text === undefined) return undefined;
  const groups = TEXT.exec(text)?.groups;
  if (groups?.['commit'] !== undefined) return { commit: groups['commit'], version: groups['version'] };
  throw new SourceError(
    'SOURCE_IO',
    `${path} is damaged: it says no longer what was applied last. Remove it when what the source holds now may be taken`,
  );
}

/** Durable when fulfilled, and whole at any time (rename(2), fsync(2)). Rejects with the error of the file system. */
export async function writeApplied(directory: string, { commit, version }: AppliedRevision): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, NAME);
  await using file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(`${commit}${version === undefined ? '' : ` ${version}`}\n`);
  await file.sync();
  await rename(`${path}.new`, path);
  await using handle = await open(directory, 'r');
  await handle.sync();
}

/** By the versions that two tags name: a higher one comes after, on whatever branch it is. 0 when they do not tell. Pure. */
export function compareTags(next: string | undefined, applied: string | undefined): number {
  const [one, other] = [next, applied].map((tag) => (tag === undefined ? undefined : parseVersion(tag)));
  return one === undefined || other === undefined ? 0 : compareVersions(one, other);
}
