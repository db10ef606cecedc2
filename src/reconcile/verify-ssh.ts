// SSH signatures (PROTOCOL.sshsig of OpenSSH), judged by ssh-keygen(1) against an allowed_signers file, as git does it.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { SignedObject } from './signed-object.ts';
import { SourceError } from './source.ts';
import { runVerifier, type JudgeOptions } from './verify-program.ts';

/** More names for one key than anybody has. */
const MAX_PRINCIPALS = 16;

/** Returns the principal who signed. Rejects as `verifyRevision` does. */
export async function verifySsh(signed: SignedObject, options: JudgeOptions): Promise<string> {
  const { what, signers, directory, signal } = options;
  const allowed = await readFile(signers, 'utf8').catch((error: unknown) => {
    throw new SourceError('SOURCE_IO', `Cannot read the file of signers ${signers}`, { cause: error });
  });
  const file = join(directory, 'signature');
  await writeFile(file, signed.signature, { mode: 0o600 });
  const common = ['-f', signers, '-s', file, `-Overify-time=${localTime(signed.madeAt)}`];
  const run = (command: string, ...args: readonly string[]) =>
    runVerifier('ssh-keygen', ['-Y', command, ...common, ...args], { input: signed.payload, home: directory, signal });
  const found = await run('find-principals');
  if (found.exitCode !== 0) throw stranger(signed, allowed, options);
  const principals = found.output.split('\n').filter((line) => line !== '');
  let complaint = '';
  for (const principal of principals.slice(0, MAX_PRINCIPALS)) {
    const result = await run('verify', '-n', 'git', '-I', principal);
    if (result.exitCode === 0) return principal;
    complaint = result.complaint;
  }
  throw new SourceError('SOURCE_SIGNATURE_INVALID', `The signature of ${what} is wrong: ${oneLine(complaint)}`);
}

/** The public key in a signature, as authorized_keys has it (base64). Undefined for what is no signature. Pure. */
export function signatureKey(signature: string): string | undefined {
  const armor = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\n?$/.exec(signature);
  const blob = Buffer.from(armor?.[1] ?? '', 'base64');
  // byte[6] "SSHSIG", uint32 version, string publickey, …
  if (blob.length < 14 || blob.toString('latin1', 0, 6) !== 'SSHSIG') return undefined;
  const end = 14 + blob.readUInt32BE(10);
  return end > blob.length ? undefined : blob.toString('base64', 14, end);
}

function stranger({ signature, madeAt }: SignedObject, allowed: string, { what, signers }: JudgeOptions): SourceError {
  const key = signatureKey(signature);
  if (key === undefined) return new SourceError('SOURCE_SIGNATURE_INVALID', `The signature of ${what} is damaged`);
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  if (allowed.split(/\s+/).includes(key)) {
    const when = new Date(madeAt * 1000).toISOString();
    const why = `${signers} does not allow its key SHA256:${digest} at the time of the commit, ${when}`;
    return new SourceError('SOURCE_SIGNER_EXPIRED', `The signature of ${what} is out of its time: ${why}`);
  }
  const why = `its key SHA256:${digest} is not in ${signers}`;
  return new SourceError('SOURCE_SIGNER_UNKNOWN', `Nobody who is known has signed ${what}: ${why}`);
}

/** `YYYYMMDDHHMMSS`, in the time zone that ssh-keygen also takes for `valid-before`. */
function localTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  const rest = [time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()];
  return [String(time.getFullYear()).padStart(4, '0'), ...rest.map((part) => String(part).padStart(2, '0'))].join('');
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '; ');
}
