// The repository that a Git source follows, as it is over there: which commit, and how it is spoken to.
import { stat } from 'node:fs/promises';

import { readCredentials } from './git-credentials.ts';
import { runGit, type GitOptions, type GitResult } from './git-program.ts';
import type { GitRef } from './git-ref.ts';
import type { GitConfig } from './parse-source.ts';
import { SourceError, type SourceErrorCode } from './source.ts';
import { compareVersions, isInRange, parseVersion } from './version-range.ts';

export type RemoteRevision = {
  /** What is fetched: a full ref, `HEAD`, or the id of a commit. */
  readonly target: string;
  readonly commit: string;
  /** The version that the tag names, where a range of versions is followed. */
  readonly version: string | undefined;
};

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const ASK_TIMEOUT_MS = 60_000;

/** What the ref of the source names over there. One small request, none for a commit. Rejects with SourceError. */
export async function askRemote(config: GitConfig, signal: AbortSignal): Promise<RemoteRevision> {
  const { url, ref } = config;
  if (ref.kind === 'commit') return { target: ref.commit, commit: ref.commit, version: undefined };
  const named = ref.kind === 'ref' ? ref.name : 'refs/tags/*';
  if (config.protocol === 'bundle') await mustBeFile(bundlePath(config));
  const args = ['ls-remote', '--exit-code', '--', gitAddress(config), named, `${named}^{}`];
  const remote = await remoteOptions(config);
  const result = await runGit(args, { ...remote, gitDir: undefined, timeoutMs: ASK_TIMEOUT_MS, signal });
  if (result.exitCode === 2) throw new SourceError('SOURCE_MISSING', `${url} has no ${named}`);
  mustSucceed(result, 'SOURCE_UNREACHABLE', `Cannot ask ${url} for ${named}`);
  return choose(url, ref, parseRefs(result.output.toString('latin1')));
}

/** The output of git-ls-remote(1): by ref, the commit that it names. Tags are followed to what they tag. Pure. */
export function parseRefs(output: string): ReadonlyMap<string, string> {
  const lines = output.split('\n').map((line) => line.split('\t'));
  const refs = new Map(lines.map(([object = '', name = '']) => [name, object]));
  const commits = [...refs].filter(([name, object]) => COMMIT.test(object) && !name.endsWith('^{}'));
  return new Map(commits.map(([name, object]) => [name, refs.get(`${name}^{}`) ?? object]));
}

/** How git is told where the repository is. */
export function gitAddress(config: GitConfig): string {
  return config.protocol === 'bundle' ? bundlePath(config) : config.url;
}

/** The file of a bundle. */
export function bundlePath({ url }: GitConfig): string {
  return url.slice('bundle:'.length);
}

/** Protocol, credentials and keys, read anew each time, so that they may be changed. Rejects with SourceError. */
export async function remoteOptions(config: GitConfig): Promise<Pick<GitOptions, 'protocol' | 'header' | 'ssh'>> {
  const { protocol, url, settings } = config;
  const { sshKey, knownHosts } = settings;
  if (protocol === 'ssh') return { protocol, ssh: { key: sshKey, knownHosts } };
  const file = settings.credentials;
  const credentials = file === undefined ? config.credentials : await readCredentials(file);
  if (credentials === undefined) return { protocol };
  const token = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
  return { protocol, header: { url: new URL('/', url).href, value: `Authorization: Basic ${token}` } };
}

/** Throws SourceError with what git said, unless it ended well. */
export function mustSucceed({ exitCode, complaint }: GitResult, code: SourceErrorCode, what: string): void {
  if (exitCode === 0) return;
  const why = complaint.replace(/^(fatal|error): /gm, '').replace(/\s*\n\s*/g, '; ');
  throw new SourceError(code, `${what}: ${why === '' ? `git ended with ${exitCode}` : why}`);
}

function choose(url: string, ref: GitRef, refs: ReadonlyMap<string, string>): RemoteRevision {
  if (ref.kind === 'semver') return highest(url, ref, refs);
  const name = ref.kind === 'ref' ? ref.name : '';
  const commit = refs.get(name);
  if (commit !== undefined) return { target: name, commit, version: undefined };
  throw new SourceError('SOURCE_INVALID', `${url} does not answer as a Git repository does`);
}

type SemverRef = Extract<GitRef, { kind: 'semver' }>;

function highest(url: string, { range, text }: SemverRef, refs: ReadonlyMap<string, string>): RemoteRevision {
  const tags = [...refs].flatMap(([target, commit]) => {
    const name = target.replace(/^refs\/tags\//, '');
    const version = parseVersion(name);
    return version !== undefined && isInRange(version, range) ? [{ target, commit, version, name }] : [];
  });
  // Versions that differ in their build metadata alone are equal: the name decides, so that each node takes the same.
  tags.sort((one, other) => compareVersions(other.version, one.version) || (one.name < other.name ? 1 : -1));
  const [best] = tags;
  if (best !== undefined) return { target: best.target, commit: best.commit, version: best.name };
  throw new SourceError('SOURCE_MISSING', `${url} has no tag that is a version of '${text}'`);
}

async function mustBeFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new SourceError('SOURCE_MISSING', `There is no bundle ${path}`);
}
