// A directory of a Git repository as a source: asked at intervals, fetched when it has changed, never checked out.
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { lock } from '../linux/flock.ts';
import { compareTags, readApplied, writeApplied, type AppliedRevision } from './applied-revision.ts';
import { fileVersion } from './file-version.ts';
import { writeImages } from './git-images.ts';
import { askRemote, bundlePath, type RemoteRevision } from './git-remote.ts';
import { GitRepository } from './git-repository.ts';
import { parseTree } from './git-tree.ts';
import { decodeManifest } from './manifest-path.ts';
import { gitSourceName, type GitConfig } from './parse-source.ts';
import { PollTimer } from './poll-timer.ts';
import { SourceError, type Source, type SourceUpdate } from './source.ts';

export type GitSourceOptions = {
  readonly config: GitConfig;
  /** The durable root: what is fetched is kept in `sources/` below it. */
  readonly root: string;
  /** Between two questions, on average. */
  readonly intervalMs?: number;
  readonly fetchTimeoutMs?: number;
  /** From 0 to 1: spreads the questions of a fleet over time. */
  readonly random?: () => number;
};

const INTERVAL_MS = 60_000;
const FETCH_TIMEOUT_MS = 1_800_000;

/** A file is looked at more often than a server is asked: somebody stands there with the stick. */
const BUNDLE_INTERVAL_MS = 5_000;

type Failed = Extract<SourceUpdate, { kind: 'failed' }>;
type Revision = Extract<SourceUpdate, { kind: 'revision' }>;
type Following = { readonly applied: AppliedRevision | undefined; readonly version: string | undefined };
type Signable = { readonly object: string; readonly commit: string; readonly target?: string };

export class GitSource implements Source {
  readonly name: string;
  readonly #config: GitConfig;
  readonly #repository: GitRepository;
  readonly #directory: string;
  readonly #timer: PollTimer;
  /** A commit that was fetched and cannot be used: it is not fetched again as long as the same keys may sign. */
  #bad: { readonly commit: string; readonly signers: string; readonly failed: Failed } | undefined;
  /** What the repository named last. */
  #asked: RemoteRevision | undefined;
  /** What is known to be on disk as applied. */
  #applied: AppliedRevision | undefined;
  /** The version of the bundle's file that was read last. */
  #bundle: string | undefined;

  constructor({ config, root, ...options }: GitSourceOptions) {
    this.name = gitSourceName(config);
    this.#config = config;
    this.#directory = join(root, 'sources', createHash('sha256').update(this.name).digest('hex').slice(0, 16));
    this.#timer = new PollTimer(intervalOf(config, options.intervalMs ?? INTERVAL_MS), options.random ?? Math.random);
    this.#repository = new GitRepository({
      config,
      gitDir: join(this.#directory, 'repository.git'),
      fetchTimeoutMs: options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS,
    });
  }

  /** The newest commit, fetched if need be. */
  async read(signal: AbortSignal): Promise<SourceUpdate> {
    return this.#poll(undefined, signal);
  }

  /** The commit that was fetched last, at once and without any network; then whatever the repository says. */
  async *revisions(signal: AbortSignal): AsyncGenerator<SourceUpdate> {
    const kept = await this.#lastFetched(signal);
    if (kept !== undefined) yield kept;
    let revision = kept?.revision;
    let failure: string | undefined;
    while (!signal.aborted) {
      this.#timer.begin();
      const update = await this.#poll(revision, signal);
      if (signal.aborted) return;
      const isOldFailure = update.kind === 'failed' && update.message === failure;
      failure = update.kind === 'failed' ? update.message : undefined;
      if (update.kind === 'revision') revision = update.revision;
      if (!isOldFailure) yield update;
      await this.#timer.next(signal);
    }
  }

  /** Look again now, or one second after the last look. Any number of calls until then are one. */
  hurry(): void {
    this.#timer.hurry();
  }

  /** Remember what is in force: nothing that does not come after it is taken from now on. */
  async applied(commit: string, signal: AbortSignal): Promise<void> {
    const version = this.#asked?.commit === commit ? this.#asked.version : undefined;
    const known = this.#applied;
    if (known?.commit === commit && (version === undefined || known.version === version)) return;
    using _held = await this.#lock(signal);
    const recorded = await readApplied(this.#directory);
    const isSame = recorded?.commit === commit;
    const next = { commit, version: version ?? (isSame ? recorded.version : undefined) };
    if (!isSame || recorded.version !== next.version) await writeApplied(this.#directory, next);
    this.#applied = next;
    await this.#repository.cutHistory(commit, signal);
  }

  async #lastFetched(signal: AbortSignal): Promise<Revision | undefined> {
    try {
      using _held = await this.#lock(signal);
      const object = await this.#repository.current(signal);
      if (object === undefined) return undefined;
      const commit = await this.#repository.commitOf(object, signal);
      // Who may sign may have changed since: then the next look says so.
      if (!(await this.#isTrusted({ object, commit }, signal))) return undefined;
      return await this.#read(commit, signal);
    } catch {
      // Damaged by a power cut, say: it is fetched again, and until then the desired record has the manifests.
      if (!signal.aborted) await this.#repository.discard();
      return undefined;
    }
  }

  async #poll(known: string | undefined, signal: AbortSignal): Promise<SourceUpdate> {
    try {
      const bundle = await this.#bundleVersion();
      if (known !== undefined && bundle !== undefined && bundle === this.#bundle) {
        return { kind: 'unchanged', revision: known };
      }
      const remote = await askRemote(this.#config, signal);
      const isBad = this.#bad?.commit === remote.commit && this.#bad.signers === (await this.#signersVersion());
      if (isBad && this.#bad !== undefined) return this.#bad.failed;
      this.#asked = remote;
      const isKnown = remote.commit === known;
      const update: SourceUpdate = isKnown ? { kind: 'unchanged', revision: known } : await this.#fetch(remote, signal);
      this.#bundle = update.kind === 'failed' ? undefined : bundle;
      return update;
    } catch (error) {
      return toFailed(error);
    }
  }

  async #fetch(remote: RemoteRevision, signal: AbortSignal): Promise<SourceUpdate> {
    using _held = await this.#lock(signal);
    const applied = this.#config.settings.allowRollback ? undefined : await readApplied(this.#directory);
    const signers = await this.#signersVersion();
    try {
      const object = await this.#repository.fetch(remote, applied !== undefined, signal);
      const commit = await this.#repository.commitOf(object, signal);
      await this.#mustFollow(commit, { applied, version: remote.version }, signal);
      await this.#mustBeSigned({ object, commit, target: remote.target }, signal);
      return await this.#take(object, commit, signal);
    } catch (error) {
      const failed = toFailed(error);
      if (failed.code !== 'SOURCE_IO' && failed.code !== 'SOURCE_UNREACHABLE') {
        this.#bad = { commit: remote.commit, signers, failed };
      }
      return failed;
    }
  }

  async #take(object: string, commit: string, signal: AbortSignal): Promise<Revision> {
    try {
      const update = await this.#read(commit, signal);
      await this.#repository.keep(object, signal);
      return update;
    } catch (error) {
      if (toFailed(error).code === 'SOURCE_IO' && !signal.aborted) await this.#repository.discard();
      throw error;
    }
  }

  async #mustFollow(commit: string, { applied, version }: Following, signal: AbortSignal): Promise<void> {
    if (applied === undefined || applied.commit === commit) return;
    const order = compareTags(version, applied.version);
    if (order > 0) return;
    if (order === 0 && (await this.#repository.descends(commit, applied.commit, signal))) return;
    const what = version === undefined ? `commit ${commit}` : `tag ${version}, commit ${commit},`;
    const inForce = applied.version === undefined ? applied.commit : `${applied.version}, ${applied.commit}`;
    throw new SourceError(
      'SOURCE_ROLLBACK',
      `Refusing ${what} of ${this.name}: it does not come after ${inForce}, which was applied before ` +
        `(a rewritten branch, or an older tag). allowRollback=true takes it`,
    );
  }

  async #isTrusted(what: Signable, signal: AbortSignal): Promise<boolean> {
    return this.#mustBeSigned(what, signal).then(
      () => true,
      () => false,
    );
  }

  async #mustBeSigned({ object, commit, target }: Signable, signal: AbortSignal): Promise<void> {
    const { verify, signers } = this.#config.settings;
    if (verify === 'off' || signers === undefined) return;
    const { verifyRevision } = await import('./verify-signature.ts');
    const verified = { repository: this.#repository, object, commit, target };
    await verifyRevision(verified, { mode: verify, signers, directory: this.#directory, signal });
  }

  /** Changes when the file of signers may have: what was refused is judged again. */
  async #signersVersion(): Promise<string> {
    const { signers } = this.#config.settings;
    return signers === undefined ? '' : ((await fileVersion(signers)) ?? '');
  }

  async #bundleVersion(): Promise<string | undefined> {
    return this.#config.protocol === 'bundle' ? fileVersion(bundlePath(this.#config)) : undefined;
  }

  async #read(commit: string, signal: AbortSignal): Promise<Revision> {
    const tree = parseTree(await this.#repository.list(commit, this.#config.path, signal));
    const objects = tree.manifests.map(({ object }) => object);
    const blobs = await this.#repository.readBlobs(objects, signal);
    const files = tree.manifests.map(({ path }, index) => ({
      path,
      text: decodeManifest(path, blobs[index] ?? NOTHING),
    }));
    const images = await writeImages(tree, {
      directory: join(this.#directory, 'images'),
      writeBlob: (object, path) => this.#repository.writeBlob(object, path, signal),
    });
    return { kind: 'revision', revision: commit, files, images };
  }

  /** Several agents, or an agent and a command, may share the root. */
  #lock(signal: AbortSignal): Promise<Disposable> {
    return lock(join(this.#directory, 'lock'), 'exclusive', signal);
  }
}

function intervalOf({ protocol, settings: { pollSeconds } }: GitConfig, intervalMs: number): number {
  if (pollSeconds !== undefined) return pollSeconds * 1000;
  return protocol === 'bundle' ? Math.min(intervalMs, BUNDLE_INTERVAL_MS) : intervalMs;
}

const NOTHING = new Uint8Array();

function toFailed(error: unknown): Failed {
  if (error instanceof SourceError) return { kind: 'failed', code: error.code, message: error.message };
  return { kind: 'failed', code: 'SOURCE_IO', message: error instanceof Error ? error.message : String(error) };
}
