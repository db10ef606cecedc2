// Whether a file may have changed.
import { stat } from 'node:fs/promises';

/** Another text when the file may have another content; undefined when there is none that could be looked at. */
export async function fileVersion(path: string): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  if (info === undefined) return undefined;
  return `${info.dev}-${info.ino}-${info.size}-${info.mtimeNs}-${info.ctimeNs}`;
}
