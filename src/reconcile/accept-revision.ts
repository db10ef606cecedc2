// Whether a revision of a source may take the place of the one in force. Pure.
import type { Desired } from '../spec/model.ts';
import { merge, saysNothing, type SourceContent } from './declarations.ts';
import type { RefusalReason } from './report.ts';
import type { SourceFile } from './source.ts';

/** What `loadManifests` of src/spec answers. */
export type Loaded = { readonly desired: Desired } | { readonly errors: readonly Error[] };
export type LoadManifests = (files: readonly SourceFile[]) => Loaded;

export type Candidate = {
  readonly source: string;
  readonly revision: string;
  readonly files: readonly SourceFile[];
  readonly loaded: Loaded;
  /** What of this source is in force now. */
  readonly previous: SourceContent | undefined;
  /** Workloads on this machine that nothing declares. */
  readonly orphans: number;
  /** A revision that says nothing removes everything: `--allow-empty`. */
  readonly allowEmpty: boolean;
};

export type Verdict =
  { readonly accepted: SourceContent } | { readonly refused: RefusalReason; readonly errors: readonly Error[] };

/** All of a revision is taken, or nothing of it. */
export function acceptRevision(candidate: Candidate): Verdict {
  const { source, revision, files, loaded } = candidate;
  if ('errors' in loaded) return { refused: 'Invalid', errors: loaded.errors };
  const content = { source, revision, files, desired: loaded.desired };
  const { conflicts } = merge([content]);
  if (conflicts.length > 0) return { refused: 'Conflict', errors: conflicts };
  const atStake = candidate.previous?.desired.workloads.length ?? candidate.orphans;
  if (atStake > 0 && saysNothing(files) && !candidate.allowEmpty) {
    return { refused: 'PruneRefused', errors: [pruneRefused(source, atStake)] };
  }
  return { accepted: content };
}

function pruneRefused(source: string, count: number): Error {
  const workloads = count === 1 ? '1 workload' : `${count} workloads`;
  return new Error(
    `Refusing to remove ${workloads}: ${source} holds no manifest at all, which may be a mistake. To remove everything, ` +
      `leave one document '{apiVersion: v1, kind: List, items: []}' or run the agent with --allow-empty`,
  );
}
