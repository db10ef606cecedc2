// Keys that sign commits and tags: made by ssh-keygen and gpg, used by git as its users do.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import type { GitPlace } from './git-server.ts';

/** What `place.git` is given before its command, to sign with this key. */
export type Signer = { readonly options: readonly string[]; readonly publicKey: string };

/** A new SSH key in the directory of the test. */
export function newSshSigner(place: GitPlace, name: string): Signer {
  const key = join(place.directory, name);
  run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
  const options = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`];
  return { options, publicKey: readFileSync(`${key}.pub`, 'utf8').trim() };
}

/** A new OpenPGP key that is valid for `expires` (as `gpg --quick-generate-key` takes it). Its agent ends with the test. */
export function newPgpSigner(t: ExecutionContext, place: GitPlace, name: string, expires = 'never'): Signer {
  const home = join(place.directory, name);
  mkdirSync(home, { mode: 0o700 });
  t.teardown(() => {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  });
  const gpg = (...args: readonly string[]) => run('gpg', ['--homedir', home, '--batch', '--quiet', ...args]);
  const identity = `${name} <${name}@example.test>`;
  gpg('--passphrase', '', '--quick-generate-key', identity, 'ed25519', 'sign', expires);
  const wrapper = join(place.directory, `${name}-gpg`);
  run('sh', ['-c', `printf '#!/bin/sh\\nexec gpg --homedir ${home} "$@"\\n' > ${wrapper}; chmod 755 ${wrapper}`]);
  const options = ['-c', `gpg.program=${wrapper}`, '-c', `user.signingKey=${name}@example.test`];
  return { options, publicKey: gpg('--armor', '--export', identity) };
}

/** Commit `text` as a.yaml, signed or not, and push it to main. Returns the commit. */
export function commitSigned(place: GitPlace, signer: Signer | undefined, message: string): string {
  const { git } = place;
  const sign = signer === undefined ? '--no-gpg-sign' : '--gpg-sign';
  git(...(signer?.options ?? []), 'commit', '--quiet', '--allow-empty', sign, `--message=${message}`);
  git('push', '--quiet', '--force', 'served', 'HEAD:refs/heads/main');
  return git('rev-parse', 'HEAD');
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr} ${error?.message ?? ''}`);
  return stdout;
}
