// What follows `--source`: a directory, or a Git repository with `#BRANCH:PATH`. Pure.

export type SourceConfig =
  /** As written: relative to the working directory of whoever wrote it. */
  { readonly kind: 'directory'; readonly path: string } | GitConfig;

export type GitConfig = {
  readonly kind: 'git';
  readonly protocol: GitProtocol;
  /** What the git program is given: no credentials in it. */
  readonly url: string;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** A full ref, or `HEAD`: whatever branch the repository calls its default. */
  readonly ref: string;
  /** The directory within the repository; empty for all of it. No slash at either end. */
  readonly path: string;
};

export type GitProtocol = 'https' | 'http' | 'ssh' | 'file';

/** Throws an Error that says what is wrong and what would be right. */
export function parseSource(text: string): SourceConfig {
  if (text === '') throw refuse(text, 'it is empty');
  if (text.startsWith('-')) throw refuse(text, "it begins with '-'; write './-…' for a directory of such a name");
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw refuse(text, 'it holds a control character');
  if (/^[a-z0-9+.-]+::/i.test(text)) throw refuse(text, 'transport helpers such as ext:: are not supported');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseGitUrl(text);
  const scp = /^(?<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@(?<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?<rest>.+)$/.exec(text);
  if (scp?.groups !== undefined) return parseScp(text, scp.groups);
  return { kind: 'directory', path: text };
}

/** The source in one line, without credentials: what records, metrics and messages call it. */
export function gitSourceName({ url, ref, path }: GitConfig): string {
  return `${url}#${ref.replace(/^refs\/heads\//, '')}${path === '' ? '' : `:${path}`}`;
}

function parseGitUrl(text: string): GitConfig {
  const { address, ref, path } = splitFragment(text);
  const url = URL.parse(address);
  if (url === null) throw refuse(text, 'it is not a URL');
  const protocol = protocolOf(text, url);
  if (url.search !== '') throw refuse(text, "a repository has no '?…'");
  if (!/^\/[^-]/.test(url.pathname)) throw refuse(text, 'the path of the repository is missing');
  if (protocol === 'file' && url.host !== '') throw refuse(text, 'a file:// URL has no host: file:///path');
  if (protocol !== 'file' && !isHost(url.hostname)) throw refuse(text, `'${url.hostname}' is no host name`);
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  if (protocol === 'ssh') {
    if (password !== '') throw refuse(mask(text), 'ssh takes a key, not a password');
    if (user !== '' && !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(user)) throw refuse(text, `'${user}' is no user name`);
    return { kind: 'git', protocol, url: url.href, credentials: undefined, ref, path };
  }
  url.username = '';
  url.password = '';
  const credentials = user === '' && password === '' ? undefined : { user, password };
  return { kind: 'git', protocol, url: url.href, credentials, ref, path };
}

/** `git@host:path`, the short form of ssh. The path is relative to the home directory over there. */
function parseScp(text: string, groups: Readonly<Record<string, string>>): GitConfig {
  const { user = '', host = '', rest = '' } = groups;
  const { address, ref, path } = splitFragment(rest);
  if (address === '' || address.startsWith('-')) throw refuse(text, 'the path of the repository is missing');
  return { kind: 'git', protocol: 'ssh', url: `${user}@${host}:${address}`, credentials: undefined, ref, path };
}

function protocolOf(text: string, url: URL): GitProtocol {
  switch (url.protocol) {
    case 'https:':
      return 'https';
    case 'ssh:':
      return 'ssh';
    case 'file:':
      return 'file';
    case 'http:':
      if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) return 'http';
      throw refuse(mask(text), 'http:// is not protected from changes on the way; use https://');
    default:
      throw refuse(mask(text), `a Git source is https://, ssh://, file:// or user@host:path, not ${url.protocol}//`);
  }
}

type Fragment = { readonly address: string; readonly ref: string; readonly path: string };

function splitFragment(text: string): Fragment {
  const at = text.indexOf('#');
  if (at === -1) return { address: text, ref: 'HEAD', path: '' };
  const [branch = '', ...rest] = text.slice(at + 1).split(':');
  return { address: text.slice(0, at), ref: toRef(text, branch), path: toPath(text, rest.join(':')) };
}

function toRef(text: string, branch: string): string {
  if (branch === '' || branch === 'HEAD') return 'HEAD';
  // git-check-ref-format(1).
  const isBad = branch.split('/').some((part) => /^$|^\.|\.$|\.lock$/.test(part));
  if (isBad || /\.\.|@\{|[ ~^:?*[\\]/.test(branch) || branch.startsWith('-')) {
    throw refuse(mask(text), `'${branch}' is no branch name`);
  }
  return branch.startsWith('refs/') ? branch : `refs/heads/${branch}`;
}

function toPath(text: string, path: string): string {
  const trimmed = path.replace(/^(\.?\/)+|\/+$/g, '');
  if (trimmed === '' || trimmed === '.') return '';
  const parts = trimmed.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || trimmed.startsWith('-')) {
    throw refuse(mask(text), `'${path}' is no path within a repository`);
  }
  return trimmed;
}

function isHost(host: string): boolean {
  return /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9a-f:.]+\])$/i.test(host);
}

/** A message is logged: what stands between `//` and `@` may be a secret. */
function mask(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@');
}

function refuse(text: string, why: string): Error {
  return new Error(`'${mask(text)}' cannot be a source: ${why}`);
}
