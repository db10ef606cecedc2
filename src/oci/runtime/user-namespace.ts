// A user namespace with mappings, made before anything is in it: containers enter it, and mounts are mapped by it
// (user_namespaces(7)). A process makes it and waits; its parent, which has the privileges, writes the maps and takes hold of it.
import { closeSync, openSync, writeFileSync } from 'node:fs';

import { Fd } from '../../linux/fd.ts';
import { CLONE_FLAGS } from '../../linux/namespace-flags.ts';
import { pipe } from '../../linux/pipe.ts';
import { readable } from '../../linux/poll.ts';
import { assemble } from '../../linux/tape/assemble.ts';
import { exitGroup, failBlock, statusFd } from '../../linux/tape/blocks.ts';
import { parseRecords, tapeError } from '../../linux/tape/failure.ts';
import { hostArchitecture } from '../../linux/tape/machine-code.ts';
import { bytes, value, type Tape } from '../../linux/tape/operation.ts';
import { exitCode, readSome } from '../../linux/tape/run.ts';
import { spawnTape } from '../../linux/tape/spawn.ts';
import { OciError } from '../error.ts';
import type { IdMapping, Linux } from './config.ts';

export type IdMappings = { readonly uid: readonly IdMapping[]; readonly gid: readonly IdMapping[] };

const RECORD_SIZE = 16;
const MAX_ID = 0xffff_ffff;

/** The user namespace that a container is to be in: a new one, or the one of a path; undefined for the runtime's own. */
export async function openUserNamespace({ namespaces = [], uidMappings, gidMappings }: Linux): Promise<Fd | undefined> {
  const user = namespaces.find(({ type }) => type === 'user');
  if (user === undefined) return undefined;
  if (user.path === undefined || user.path === '')
    return makeUserNamespace({ uid: uidMappings ?? [], gid: gidMappings ?? [] });
  try {
    return new Fd(openSync(user.path, 'r'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('CONFIG_INVALID', `linux.namespaces: cannot join the 'user' namespace: ${reason}`, {
      cause: error,
    });
  }
}

/** Make a user namespace. Rejects with OciError CONFIG_INVALID when the kernel does not take the mappings. */
export async function makeUserNamespace(mappings: IdMappings): Promise<Fd> {
  const maps = { uid_map: mapText(mappings.uid, 'uidMappings'), gid_map: mapText(mappings.gid, 'gidMappings') };
  const assembled = assemble(HOLDER, hostArchitecture());
  const status = pipe();
  const hold = pipe();
  using _held = hold.write;
  using statusRead = status.read;
  const pid = spawnTape(assembled, {
    argv: ['berth-userns'],
    status: status.write.number,
    fds: [[hold.read.number, 0]],
  });
  for (const end of [status.write, hold.read]) closeSync(end.release());
  try {
    await readable(statusRead.number);
    const [record] = parseRecords(readSome(statusRead.number) ?? Buffer.alloc(0));
    if (record?.kind === 'failed') throw tapeError(assembled, record);
    for (const [file, text] of Object.entries(maps)) writeMap(`/proc/${pid}/${file}`, text);
    return new Fd(openSync(`/proc/${pid}/ns/user`, 'r'));
  } finally {
    hold.write[Symbol.dispose]();
    await exitCode(pid);
  }
}

/** It reads until its parent closes the other end, or is gone. */
const HOLDER: Tape = {
  name: 'user namespace',
  blocks: [
    {
      label: 'holder',
      zone: 'parent',
      operations: [
        {
          call: 'unshare',
          args: [value(CLONE_FLAGS.CLONE_NEWUSER, 'CLONE_NEWUSER')],
          what: 'make a user namespace',
        },
        {
          call: 'write',
          args: [statusFd, bytes(Buffer.alloc(RECORD_SIZE), '<ready>'), RECORD_SIZE],
          what: 'report it',
        },
        { call: 'read', args: [0, bytes(Buffer.alloc(8), '<byte>'), 1], what: 'wait until somebody has it' },
        exitGroup(0),
      ],
    },
    failBlock('parent'),
  ],
};

function mapText(mappings: readonly IdMapping[], field: string): string {
  return mappings
    .map(({ containerID, hostID, size }) => {
      if ([containerID, hostID, size].some((id) => !Number.isInteger(id) || id < 0 || id > MAX_ID))
        throw new OciError(
          'CONFIG_INVALID',
          `linux.${field}: ${containerID} ${hostID} ${size} are not user or group ids`,
        );
      return `${containerID} ${hostID} ${size}\n`;
    })
    .join('');
}

function writeMap(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const field = path.endsWith('uid_map') ? 'uidMappings' : 'gidMappings';
    const reason = error instanceof Error ? error.message : String(error);
    const message = `linux.${field}: the kernel does not take '${text.trim().replaceAll('\n', ', ')}': ${reason}`;
    throw new OciError('CONFIG_INVALID', message, { cause: error });
  }
}
