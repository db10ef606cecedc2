// OpenPGP signatures, judged by gpg(1) with the keys of one file and nothing else: a home directory of its own, no agent, no network.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { SignedObject } from './signed-object.ts';
import { SourceError, type SourceErrorCode } from './source.ts';
import { runVerifier, type JudgeOptions } from './verify-program.ts';

const BASE = ['--batch', '--no-tty', '--no-options', '--no-autostart', '--disable-dirmngr', '--quiet'];

/** Returns the fingerprint of the primary key. Rejects as `verifyRevision` does. */
export async function verifyOpenpgp({ payload, signature }: SignedObject, options: JudgeOptions): Promise<string> {
  const { what, signers, directory, signal } = options;
  const file = join(directory, 'signature');
  await writeFile(file, signature, { mode: 0o600 });
  const run = (...args: readonly string[]) =>
    runVerifier('gpg', ['--homedir', directory, ...BASE, ...args], { input: payload, home: directory, signal });
  const imported = await run('--import', signers);
  if (imported.exitCode !== 0) {
    throw new SourceError('SOURCE_IO', `Cannot read the keys in ${signers}: ${imported.complaint.split('\n')[0]}`);
  }
  const { output, complaint } = await run('--status-fd', '1', '--trust-model', 'always', '--verify', '--', file, '-');
  const verdict = judgeStatus(output);
  if ('signer' in verdict) return verdict.signer;
  const [last = ''] = complaint.split('\n').slice(-1);
  const why = verdict.key === '' ? last : `${verdict.why} (key ${verdict.key}; ${signers})`;
  throw new SourceError(verdict.code, `The signature of ${what} does not count: ${why}`);
}

export type PgpVerdict =
  { readonly signer: string } | { readonly code: SourceErrorCode; readonly key: string; readonly why: string };

/** Of the digests in doc/DETAILS of GnuPG: MD5, SHA-1, RIPEMD-160. Others can be made to fit. */
const WEAK_DIGESTS: ReadonlySet<string> = new Set(['1', '2', '3']);

/** The lines of `--status-fd`: exactly one signature, good, and nothing said against it or its key. Pure. */
export function judgeStatus(output: string): PgpVerdict {
  const lines = output.split('\n').flatMap((line) => {
    const [, keyword, rest = ''] = /^\[GNUPG:\] ([A-Z_0-9]+) ?(.*)$/.exec(line) ?? [];
    return keyword === undefined ? [] : [{ keyword, args: rest.split(' ') }];
  });
  const argsOf = (keyword: string) => lines.find((line) => line.keyword === keyword)?.args;
  for (const [keyword, code, why] of OBJECTIONS) {
    const args = argsOf(keyword);
    if (args !== undefined) return { code, key: args[0] ?? '', why };
  }
  const valid = lines.filter(({ keyword }) => keyword === 'VALIDSIG');
  const good = lines.filter(({ keyword }) => keyword === 'GOODSIG');
  const [args] = valid.map((line) => line.args);
  if (valid.length !== 1 || good.length !== 1 || args === undefined) {
    return { code: 'SOURCE_SIGNATURE_INVALID', key: '', why: 'it is not one good signature' };
  }
  // fingerprint, date, time, expires, version, reserved, key algorithm, digest, class, fingerprint of the primary key.
  const [key = '', , , , , , , digest = ''] = args;
  if (WEAK_DIGESTS.has(digest)) return { code: 'SOURCE_SIGNATURE_INVALID', key, why: 'its digest is weak' };
  return { signer: args[9] ?? key };
}

const OBJECTIONS: readonly (readonly [keyword: string, code: SourceErrorCode, why: string])[] = [
  ['BADSIG', 'SOURCE_SIGNATURE_INVALID', 'it was made over something else'],
  ['NO_PUBKEY', 'SOURCE_SIGNER_UNKNOWN', 'its key is not known'],
  ['REVKEYSIG', 'SOURCE_SIGNER_EXPIRED', 'its key was revoked'],
  ['EXPKEYSIG', 'SOURCE_SIGNER_EXPIRED', 'its key has expired'],
  ['EXPSIG', 'SOURCE_SIGNER_EXPIRED', 'it has expired'],
  ['ERRSIG', 'SOURCE_SIGNATURE_INVALID', 'it cannot be checked'],
];
