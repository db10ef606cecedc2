// Whether a revision was signed by somebody who may: the tag's signature where a signed tag is followed, else the commit's.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { GitRepository } from './git-repository.ts';
import { parseSignedCommit, parseSignedTag, type SignedObject } from './signed-object.ts';
import { SourceError } from './source.ts';
import { verifyOpenpgp } from './verify-openpgp.ts';
import { verifySsh } from './verify-ssh.ts';

export type VerifyOptions = {
  readonly mode: 'ssh' | 'openpgp';
  readonly signers: string;
  /** A directory that only root may enter, for what the programs need on disk. */
  readonly directory: string;
  readonly signal: AbortSignal;
};

export type VerifiedObject = {
  readonly repository: GitRepository;
  /** A commit or an annotated tag. */
  readonly object: string;
  readonly commit: string;
  /** The full ref that it was fetched as. Undefined for a commit that was kept: its tag's own name is taken. */
  readonly target: string | undefined;
};

/**
 * Returns who signed. Rejects with SourceError: SOURCE_UNSIGNED, SOURCE_SIGNATURE_INVALID, SOURCE_SIGNER_EXPIRED,
 * SOURCE_SIGNER_UNKNOWN, or SOURCE_IO when it cannot be told.
 */
export async function verifyRevision(verified: VerifiedObject, options: VerifyOptions): Promise<string> {
  const { commit } = verified;
  const what = `commit ${commit}`;
  const signed = await signedObject(verified, options.signal);
  if (signed === undefined) throw new SourceError('SOURCE_UNSIGNED', `The ${what} is not signed; ${wanted(options)}`);
  if (signed.format !== options.mode) {
    const found = { ssh: 'an SSH', openpgp: 'an OpenPGP', other: 'an X.509' }[signed.format];
    throw new SourceError('SOURCE_SIGNATURE_INVALID', `The ${what} has ${found} signature; ${wanted(options)}`);
  }
  const directory = await mkdtemp(join(options.directory, 'verify-'));
  try {
    const verify = options.mode === 'ssh' ? verifySsh : verifyOpenpgp;
    return await verify(signed, { what, signers: options.signers, directory, signal: options.signal });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function signedObject({ repository, object, commit, target }: VerifiedObject, signal: AbortSignal) {
  const { type, content } = await repository.readObject(object, signal);
  if (type === 'tag') {
    const name = target ?? `refs/tags/${/^tag (.*)$/m.exec(content.toString('latin1'))?.[1] ?? ''}`;
    const signed: SignedObject | undefined = parseSignedTag(content, name);
    if (signed !== undefined) return signed;
  }
  return parseSignedCommit((await repository.readObject(commit, signal)).content);
}

function wanted({ mode, signers }: VerifyOptions): string {
  return `this source takes only what a key in ${signers} has signed (verify=${mode})`;
}
