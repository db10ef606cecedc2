// What all sources declare together, and what a new revision may not do. Pure.
import type { Desired, Position, Workload } from '../spec/model.ts';
import { declarationKey, podNames, workloadId } from './desired-pods.ts';
import type { WorkloadId } from './effects.ts';
import type { SourceFile } from './source.ts';
import type { Declared } from './survey.ts';
import { formatWorkload } from './workload-id.ts';

/** The content of one source that is in force. */
export type SourceContent = {
  readonly source: string;
  readonly revision: string;
  readonly files: readonly SourceFile[];
  readonly desired: Desired;
};

export type Declaration = Declared & {
  readonly id: WorkloadId;
  readonly source: string;
  readonly revision: string;
  /** Differs when anything about the workload does. */
  readonly key: string;
};

/** Two workloads want the same name. The first keeps it. */
export class NameConflict extends Error {
  readonly position: Position;
  readonly workload: WorkloadId;

  constructor(workload: Workload, podName: string, other: Declaration) {
    const { position } = other.workload;
    const place = `${position.file}:${position.line}:${position.column} of ${other.source}`;
    super(`${workload.kind} '${workload.name}' wants a pod named '${podName}', and ${place} declares one already`);
    this.name = 'NameConflict';
    this.position = workload.position;
    this.workload = workloadId(workload);
  }
}

export type Merged = {
  /** By `formatWorkload`. */
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly conflicts: readonly NameConflict[];
};

/** Join the content of all sources, in the order in which they are configured: an earlier one wins a name. */
export function merge(contents: readonly SourceContent[]): Merged {
  const declarations = new Map<string, Declaration>();
  const owners = new Map<string, Declaration>();
  const conflicts: NameConflict[] = [];
  for (const { source, revision, desired } of contents) {
    for (const workload of desired.workloads) {
      const names = podNames(workload);
      const taken = names.find((name) => owners.has(`${workload.namespace}/${name}`));
      const owner = taken === undefined ? undefined : owners.get(`${workload.namespace}/${taken}`);
      if (taken !== undefined && owner !== undefined) {
        conflicts.push(new NameConflict(workload, taken, owner));
        continue;
      }
      const id = workloadId(workload);
      const declaration = { id, workload, desired, source, revision, key: declarationKey(workload, desired) };
      declarations.set(formatWorkload(id), declaration);
      for (const name of names) owners.set(`${workload.namespace}/${name}`, declaration);
    }
  }
  return { declarations, conflicts };
}

/** The workloads that one map has and the other has not, or has otherwise. */
export function differing(before: Merged['declarations'], after: Merged['declarations']): WorkloadId[] {
  const gone = [...before.values()].filter(({ id }) => !after.has(formatWorkload(id)));
  const changed = [...after.values()].filter(({ id, key }) => before.get(formatWorkload(id))?.key !== key);
  return [...gone, ...changed].map(({ id }) => id);
}

/**
 * Whether a source says nothing at all: no file has a line that is neither blank, nor a comment, nor a document marker.
 * Such a revision may be a mistake (a wrong branch, a directory that is not mounted), so that it removes nothing. To
 * remove everything on purpose, leave a document that declares nothing: `{apiVersion: v1, kind: List, items: []}`.
 */
export function saysNothing(files: readonly SourceFile[]): boolean {
  return files.every(({ text }) => text.split('\n').every((line) => SAYS_NOTHING.test(line)));
}

/** Blank, a comment, `---`, `...`; \s takes a byte order mark as well. */
const SAYS_NOTHING = /^\s*(#.*|(---|\.\.\.)\s*(#.*)?)?$/;
