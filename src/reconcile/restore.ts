// From the desired record back to what shall run: all that a boot needs, without any network.
import type { LoadManifests } from './accept-revision.ts';
import { merge, type SourceContent } from './declarations.ts';
import { desiredPods, imageRequests, templateKey } from './desired-pods.ts';
import type { DesiredRecord, ReadRecords } from './desired-record.ts';
import type { DesiredPod } from './effects.ts';
import type { Resolution } from './image-resolutions.ts';

export type Restored = {
  /** For each configured source that is recorded: its content. */
  readonly contents: readonly SourceContent[];
  readonly resolutions: Readonly<Record<string, Resolution>>;
  /** By workload: the pods of the last good record, to be kept alive while newer images are missing. */
  readonly serving: ReadonlyMap<string, readonly DesiredPod[]>;
  readonly problems: readonly Error[];
};

/** Pure. Sources that are not configured any more are left out; what cannot be loaded falls back to the older record. */
export function restore(
  { current, previous, problems }: ReadRecords,
  sources: readonly string[],
  load: LoadManifests,
): Restored {
  const records = [current, previous].filter((record) => record !== undefined);
  const found: Error[] = [...problems];
  const contents = sources.flatMap((source) => {
    for (const record of records) {
      const content = contentOf(record, source, load);
      if (content instanceof Error) found.push(content);
      else if (content !== undefined) return [content];
    }
    return [];
  });
  return {
    contents,
    resolutions: { ...previous?.resolutions, ...current?.resolutions },
    serving: previous === undefined ? new Map() : podsOfRecord(previous, load),
    problems: found,
  };
}

function contentOf(record: DesiredRecord, source: string, load: LoadManifests): SourceContent | Error | undefined {
  const entry = record.sources.find((candidate) => candidate.source === source);
  if (entry === undefined) return undefined;
  const loaded = load(entry.files);
  if ('desired' in loaded) return { ...entry, desired: loaded.desired };
  const [error] = loaded.errors;
  return new Error(`Cannot use revision ${entry.revision} of ${source} from the desired record: ${error?.message}`);
}

function podsOfRecord(record: DesiredRecord, load: LoadManifests): Map<string, readonly DesiredPod[]> {
  const contents = record.sources.flatMap(({ source }) => {
    const content = contentOf(record, source, load);
    return content === undefined || content instanceof Error ? [] : [content];
  });
  const pods = new Map<string, readonly DesiredPod[]>();
  for (const [key, { workload, desired }] of merge(contents).declarations) {
    const resolution = record.resolutions[key];
    if (resolution?.template !== templateKey(workload, desired)) continue;
    const digests = new Map(Object.entries(resolution.digests));
    if (!imageRequests(workload).every(({ reference }) => digests.has(reference))) continue;
    pods.set(key, desiredPods({ workload, digests, desired }));
  }
  return pods;
}
