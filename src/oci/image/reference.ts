// Image references as people write them: `nginx`, `ghcr.io/owner/app:1.2`, `localhost:5000/app@sha256:…`.
// The grammar is the one of the distribution project's reference format; the defaults are Docker Hub's.
import { OciError } from '../error.ts';

import { isDigest } from './digest.ts';

const DEFAULT_REGISTRY = 'docker.io';
const MAX_NAME_LENGTH = 255;
// A name, a tag and the longest digest fit; bounds the work of the expressions below.
const MAX_LENGTH = 600;

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

export type Reference = {
  /** Host and port, such as `docker.io` or `localhost:5000`. */
  readonly registry: string;
  /** Such as `library/nginx`. */
  readonly repository: string;
  /** `latest` when neither a tag nor a digest was written. */
  readonly tag: string | undefined;
  /** Wins over the tag when both are given. */
  readonly digest: string | undefined;
};

/**
 * Parse a reference. Missing parts get Docker Hub's defaults: registry `docker.io`, `library/` before a bare name, tag
 * `latest` when there is no digest. Throws OciError REFERENCE_INVALID.
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_LENGTH) throw invalid(text, `it is longer than ${MAX_LENGTH} characters`);
  const { name, tag, digest } = splitSuffixes(text);
  const { registry, repository } = splitRegistry(name);
  if (!isRegistry(registry)) throw invalid(text, `"${registry}" is not a registry host`);
  if (!REPOSITORY.test(repository)) throw invalid(text, repositoryProblem(repository));
  if (registry.length + 1 + repository.length > MAX_NAME_LENGTH) {
    throw invalid(text, `the name is longer than ${MAX_NAME_LENGTH} characters`);
  }
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is not a tag`);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, `"${digest}" is not a digest`);
  return { registry, repository, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** The canonical text: every part spelled out. `parseReference(formatReference(r))` is `r`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitSuffixes(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const tagged = at === -1 ? text : text.slice(0, at);
  const colon = tagged.lastIndexOf(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon === -1 || tagged.includes('/', colon)) return { name: tagged, tag: undefined, digest };
  return { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  if (!looksLikeHost(first)) return { registry: DEFAULT_REGISTRY, repository: official(name) };
  const repository = name.slice(slash + 1);
  const registry = first.toLowerCase();
  if (registry !== 'docker.io' && registry !== 'index.docker.io') return { registry, repository };
  return { registry: DEFAULT_REGISTRY, repository: official(repository) };
}

// Docker's rule for telling `host/name` from `user/name`.
function looksLikeHost(component: string): boolean {
  return /[.:]/.test(component) || component === 'localhost';
}

function isRegistry(text: string): boolean {
  return REGISTRY.test(text) && Number(/:([0-9]+)$/.exec(text)?.[1] ?? 1) <= 65_535;
}

function official(repository: string): string {
  return repository.includes('/') ? repository : `library/${repository}`;
}

function repositoryProblem(repository: string): string {
  if (/[A-Z]/.test(repository)) return 'a repository name is lower case';
  return `"${repository}" is not a repository name`;
}

function invalid(text: string, problem: string): OciError {
  const shown = JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
  return new OciError('REFERENCE_INVALID', `Cannot parse image reference ${shown}: ${problem}`);
}
