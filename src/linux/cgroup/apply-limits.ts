// Write planned limits into the files of one cgroup.
import { join } from 'node:path';

import { isErrno } from '../errno.ts';
import { readControl, writeControl } from './control-file.ts';
import { CgroupError } from './error.ts';
import type { Place } from './layout.ts';
import type { LimitWrite } from './limit-plan.ts';
import { placeOf } from './place.ts';

const HINTS: Readonly<Record<string, string>> = {
  EBUSY: 'it is in use beyond that value, or by sub-cgroups',
  EINVAL: 'the kernel does not take this value, or not together with the other limits here and above',
  ERANGE: 'the value is out of range',
  EPERM: 'a cgroup above does not allow it',
};

/**
 * Write all limits, in order. A value that is refused is tried once more after the others: a memory limit cannot be
 * raised above memory+swap, nor a period changed against an old quota, before the other one is written.
 *
 * Returns a note for each optional limit that the kernel cannot do. Throws CgroupError REFUSED or UNSUPPORTED.
 */
export function applyLimits(places: readonly Place[], writes: readonly LimitWrite[]): string[] {
  const notes: string[] = [];
  const refused: LimitWrite[] = [];
  for (const group of groupByFile(writes)) {
    const failure = tryWrite(places, group);
    if (failure === undefined) continue;
    const [first] = group;
    if (isMissing(failure) && first?.optional === true) notes.push(`${first.file}: not set, ${first.hint}`);
    else if (isErrno(failure, 'EINVAL', 'EBUSY')) refused.push(...group);
    else throw explain(places, group, failure);
  }
  for (const group of groupByFile(refused)) {
    const failure = tryWrite(places, group);
    if (failure !== undefined) throw explain(places, group, failure);
  }
  return notes;
}

/** Runs of writes to one file share a descriptor: device rules are many. */
function groupByFile(writes: readonly LimitWrite[]): LimitWrite[][] {
  const groups: LimitWrite[][] = [];
  for (const write of writes) {
    const last = groups.at(-1);
    if (last?.[0]?.file === write.file && last[0].controller === write.controller) last.push(write);
    else groups.push([write]);
  }
  return groups;
}

/** ENOTSUPP (524) is the kernel's own, and has no name for user space. */
function isMissing(failure: NodeJS.ErrnoException): boolean {
  return failure.errno === -524 || isErrno(failure, 'ENOENT', 'EOPNOTSUPP', 'ENOTSUP');
}

function tryWrite(places: readonly Place[], group: readonly LimitWrite[]): NodeJS.ErrnoException | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const { otherFile } = first;
  const values = group.map(({ value }) => value);
  const path = fileOf(places, first, first.file);
  const failure = writeTo(path, values);
  if (failure === undefined && first.verified === true) verify(path, values);
  if (otherFile === undefined || !isErrno(failure, 'ENOENT')) return failure;
  return writeTo(
    fileOf(places, first, otherFile),
    group.map(({ value, otherValue = value }) => otherValue),
  );
}

function verify(path: string, values: readonly string[]): void {
  if (readControl(path).trim() === values.at(-1)) return;
  throw new CgroupError('UNSUPPORTED', `${path}: this kernel takes the value and does nothing with it any more`);
}

function writeTo(path: string, values: readonly string[]): NodeJS.ErrnoException | undefined {
  try {
    writeControl(path, ...values);
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error as NodeJS.ErrnoException;
    throw error;
  }
}

function fileOf(places: readonly Place[], { controller }: LimitWrite, file: string): string {
  const place = placeOf(places, controller);
  if (place === undefined) throw new CgroupError('UNSUPPORTED', `${file}: no ${controller} controller on this machine`);
  return join(place.directory, file);
}

function explain(places: readonly Place[], group: readonly LimitWrite[], cause: NodeJS.ErrnoException): CgroupError {
  const [first] = group;
  if (first === undefined) return new CgroupError('REFUSED', cause.message, { cause });
  const path = fileOf(places, first, first.file);
  const values = group.map(({ value }) => `'${value}'`).join(', ');
  const missing = isMissing(cause);
  const reason = missing ? (first.hint ?? 'this kernel has no such file') : HINTS[cause.code ?? ''];
  const suffix = reason === undefined ? '' : ` (${reason})`;
  const message = `Cannot write ${values} to ${path}: ${cause.code}${suffix}`;
  return new CgroupError(missing ? 'UNSUPPORTED' : 'REFUSED', message, { cause });
}
