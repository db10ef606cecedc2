// The files that a ConfigMap or Secret makes in a volume.
import type { ConfigData, ConfigItem, Volume } from './model.ts';
import { normalizedPath } from './schema/paths.ts';

export type ConfigFile = {
  /** Inside the volume: relative, without `..` and doubled slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
};

/**
 * The files of a config volume, sorted by path. `data` is what its source leads to; undefined when that does not exist,
 * which makes an empty volume if the source is optional. Throws an Error when something that is not optional is
 * missing: loadManifests has ruled that out for what it loaded.
 */
export function configFiles(
  volume: Extract<Volume, { kind: 'config' }>,
  data: ConfigData | undefined,
): readonly ConfigFile[] {
  const { source, items, defaultMode } = volume;
  if (data === undefined && !source.optional) {
    throw new Error(`Cannot make volume '${volume.name}': there is no ${source.kind} '${source.name}'`);
  }
  const entries = data?.entries ?? new Map<string, Uint8Array>();
  const wanted = items ?? [...entries.keys()].map((key): ConfigItem => ({ key, path: key, mode: undefined }));
  return wanted
    .flatMap(({ key, path, mode }): ConfigFile[] => {
      const bytes = entries.get(key);
      if (bytes !== undefined) return [{ path: normalizedPath(path), bytes, mode: mode ?? defaultMode }];
      if (source.optional) return [];
      throw new Error(`Cannot make volume '${volume.name}': ${source.kind} '${source.name}' has no key '${key}'`);
    })
    .sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
}
