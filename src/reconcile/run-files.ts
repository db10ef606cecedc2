// Run records on disk, one file a workload: `<directory>/<kind>/<namespace>/<name>.json`. Written beside its place, synced and
// renamed (rename(2), fsync(2)); a checksum tells an altered file.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';

import { z } from 'zod';

import { isErrno } from '../linux/errno.ts';
import type { WorkloadId } from './effects.ts';
import type { RunRecord } from './run-record.ts';
import { formatWorkload, parseWorkload } from './workload-id.ts';

const SUFFIX = '.json';

const recordSchema = z.strictObject({
  key: z.string(),
  startedAt: z.number().optional(),
  done: z.array(z.string()),
  failures: z.number(),
  lastFailureAt: z.number().optional(),
  counted: z.array(z.string()),
  outcome: z
    .strictObject({
      result: z.enum(['Complete', 'Failed']),
      reason: z.enum(['Completed', 'PodFailed', 'BackoffLimitExceeded', 'DeadlineExceeded']),
      message: z.string(),
      at: z.number(),
    })
    .optional(),
});

const fileSchema = z.strictObject({ format: z.literal(1), crc32: z.string(), record: z.unknown() });

/**
 * The record of a workload; undefined where there is none. Rejects with an Error that names the file when it is damaged: what
 * was done is not known then, and doing it again is not for the agent to decide. Removing the file says that it may.
 */
export async function readRunRecord(directory: string, id: WorkloadId): Promise<RunRecord | undefined> {
  const path = pathOf(directory, id);
  try {
    const { crc32: sum, record } = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    if (checksum(record) !== sum) throw new Error('the checksum does not match');
    return recordSchema.parse(record);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    const advice = `remove the file to have ${formatWorkload(id)} run again`;
    throw new Error(`Cannot tell what is done of ${path}: ${reason}; ${advice}`, { cause: error });
  }
}

/** Keep a record durably, or with `undefined` forget it. Rejects with the error of the file system. */
export async function writeRunRecord(directory: string, id: WorkloadId, record: RunRecord | undefined): Promise<void> {
  const path = pathOf(directory, id);
  if (record === undefined) {
    await rm(path, { force: true });
    if (await isThere(dirname(path))) await sync(dirname(path));
    return;
  }
  const created = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A directory that is new is only there after a power cut when the one that names it is synced too.
  if (created !== undefined)
    for (let at = dirname(path); at.length >= dirname(created).length; at = dirname(at)) await sync(at);
  const fresh = `${path}.new`;
  await using file = await open(fresh, 'w', 0o600);
  await file.writeFile(`${JSON.stringify({ format: 1, crc32: checksum(record), record })}\n`);
  await file.sync();
  await rename(fresh, path);
  await sync(dirname(path));
}

/** Every workload that has a record. */
export async function listRunRecords(directory: string): Promise<WorkloadId[]> {
  if (!(await isThere(directory))) return [];
  const paths = await readdir(directory, { recursive: true });
  return paths
    .filter((path) => path.endsWith(SUFFIX))
    .flatMap((path) => parseWorkload(path.slice(0, -SUFFIX.length)) ?? []);
}

function pathOf(directory: string, id: WorkloadId): string {
  return `${join(directory, formatWorkload(id))}${SUFFIX}`;
}

function checksum(record: unknown): string {
  return crc32(JSON.stringify(record)).toString(16).padStart(8, '0');
}

async function isThere(directory: string): Promise<boolean> {
  try {
    await using _handle = await open(directory, 'r');
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function sync(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
