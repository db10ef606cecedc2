// What shall run, on disk: read at boot before any network I/O. Two files, so that one good one is always there.
//
//   desired/current.json    what was accepted last
//   desired/previous.json   the newest record before it whose workloads all ran
//
// Each is written beside its place, synced and renamed (rename(2), fsync(2)); a checksum tells an altered file.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { z } from 'zod';

import { isErrno } from '../linux/errno.ts';

const recordSchema = z.strictObject({
  format: z.literal(1),
  /** Whether every workload of this record ran as declared at one time. */
  good: z.boolean(),
  sources: z.array(
    z.strictObject({
      source: z.string(),
      revision: z.string(),
      files: z.array(z.strictObject({ path: z.string(), text: z.string() })),
    }),
  ),
  resolutions: z.record(
    z.string(),
    z.strictObject({ template: z.string(), digests: z.record(z.string(), z.string()) }),
  ),
});

export type DesiredRecord = z.infer<typeof recordSchema>;

const envelopeSchema = z.strictObject({ crc32: z.string(), record: z.unknown() });

export type ReadRecords = {
  readonly current: DesiredRecord | undefined;
  readonly previous: DesiredRecord | undefined;
  /** Why a file that is there could not be used. */
  readonly problems: readonly Error[];
};

/**
 * Read both records. A file that is missing, torn, altered or of another format is `undefined`; the agent then goes by
 * the other one. Rejects with nothing: a boot must go on.
 */
export async function readRecords(directory: string): Promise<ReadRecords> {
  const problems: Error[] = [];
  const read = async (name: string): Promise<DesiredRecord | undefined> => {
    const path = join(directory, name);
    try {
      return decodeRecord(await readFile(path, 'utf8'));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      problems.push(new Error(`Cannot use the desired record ${path}: ${messageOf(error)}`, { cause: error }));
      return undefined;
    }
  };
  return { current: await read(CURRENT), previous: await read(PREVIOUS), problems };
}

/**
 * Write the current record, durably. `keepCurrent` first makes the record that is current the previous one. After a
 * crash at any point at least one of the two files is whole. Rejects with the error of the file system.
 */
export async function writeRecord(
  directory: string,
  record: DesiredRecord,
  { keepCurrent }: { readonly keepCurrent: boolean },
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const current = join(directory, CURRENT);
  const fresh = join(directory, `${CURRENT}.new`);
  // Manifests may hold Secrets: nobody but root reads them.
  await using file = await open(fresh, 'w', 0o600);
  await file.writeFile(encodeRecord(record));
  await file.sync();
  if (keepCurrent) await renameIfThere(current, join(directory, PREVIOUS));
  await rename(fresh, current);
  await using handle = await open(directory, 'r');
  await handle.sync();
}

/** The text of a record, with its checksum. */
export function encodeRecord(record: DesiredRecord): string {
  const text = JSON.stringify(record);
  return `{"crc32":"${checksum(text)}","record":${text}}\n`;
}

/** The reverse of `encodeRecord`. Throws an Error that says what is wrong with the text. */
export function decodeRecord(text: string): DesiredRecord {
  const envelope = envelopeSchema.parse(JSON.parse(text));
  if (checksum(JSON.stringify(envelope.record)) !== envelope.crc32) throw new Error('The checksum does not match');
  return recordSchema.parse(envelope.record);
}

const CURRENT = 'current.json';
const PREVIOUS = 'previous.json';

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
