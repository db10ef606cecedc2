// Which commit of a repository a source follows: a branch, a tag, the highest tag of a version range, or one commit. Pure.
import { parseRange, type Range } from './version-range.ts';

export type GitRef =
  /** A full ref, or `HEAD`: whatever branch the repository calls its default. */
  | { readonly kind: 'ref'; readonly name: string }
  /** The highest tag whose name is a version of the range. */
  | { readonly kind: 'semver'; readonly text: string; readonly range: Range }
  | { readonly kind: 'commit'; readonly commit: string };

export type RefAndPath = { readonly ref: GitRef; readonly path: string };

/**
 * What stands between `#` and `?`: `REF:PATH`, where REF is a branch, `refs/…`, `tag:NAME`, `semver:RANGE` or
 * `commit:ID`. A branch that is called tag, semver or commit needs its full name. Throws an Error that says why not.
 */
export function parseRefAndPath(text: string): RefAndPath {
  const [first = '', ...rest] = text.split(':');
  const [second = '', ...others] = rest;
  switch (first) {
    case 'tag':
      return { ref: { kind: 'ref', name: `refs/tags/${checkName(second, 'tag')}` }, path: toPath(others) };
    case 'semver':
      return { ref: { kind: 'semver', text: second, range: parseRange(second) }, path: toPath(others) };
    case 'commit':
      return { ref: { kind: 'commit', commit: checkCommit(second) }, path: toPath(others) };
    default:
      return { ref: { kind: 'ref', name: branchRef(first) }, path: toPath(rest) };
  }
}

/** The ref as `parseRefAndPath` takes it. */
export function formatRef(ref: GitRef): string {
  switch (ref.kind) {
    case 'semver':
      return `semver:${ref.text}`;
    case 'commit':
      return `commit:${ref.commit}`;
    case 'ref':
      return ref.name.replace(/^refs\/heads\/(?!refs\/|(tag|semver|commit)$)/, '');
  }
}

function branchRef(branch: string): string {
  if (branch === '' || branch === 'HEAD') return 'HEAD';
  checkName(branch, 'branch');
  return branch.startsWith('refs/') ? branch : `refs/heads/${branch}`;
}

/** git-check-ref-format(1). */
function checkName(name: string, what: string): string {
  const isBad = name.split('/').some((part) => /^$|^\.|\.$|\.lock$/.test(part));
  if (isBad || /\.\.|@\{|[ ~^:?*[\\]/.test(name) || name.startsWith('-'))
    throw new Error(`'${name}' is no ${what} name`);
  return name;
}

function checkCommit(commit: string): string {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return commit;
  throw new Error(`'${commit}' is no whole commit id (40 or 64 digits)`);
}

function toPath(parts: readonly string[]): string {
  const path = parts.join(':');
  const trimmed = path.replace(/^(\.?\/)+|\/+$/g, '');
  if (trimmed === '' || trimmed === '.') return '';
  const isBad = trimmed.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (isBad || trimmed.startsWith('-')) throw new Error(`'${path}' is no path within a repository`);
  return trimmed;
}
