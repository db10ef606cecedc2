// What follows `--source`: a directory, or a Git repository with `#REF:PATH?OPTIONS`. Pure.
import { formatRef, parseRefAndPath, type GitRef } from './git-ref.ts';
import { parseSourceOptions, type GitSourceSettings } from './source-options.ts';

export type SourceConfig =
  /** As written: relative to the working directory of whoever wrote it. */
  { readonly kind: 'directory'; readonly path: string } | GitConfig;

export type GitConfig = {
  readonly kind: 'git';
  readonly protocol: GitProtocol;
  /** What the git program is given: no credentials in it. */
  readonly url: string;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  readonly ref: GitRef;
  /** The directory within the repository; empty for all of it. No slash at either end. */
  readonly path: string;
  readonly settings: GitSourceSettings;
};

/** `bundle`: a file that git-bundle(1) has made. */
export type GitProtocol = 'https' | 'http' | 'ssh' | 'file' | 'bundle';

/** Throws an Error that says what is wrong and what would be right. */
export function parseSource(text: string): SourceConfig {
  const config = parse(text);
  if (config.kind === 'git') checkOptions(text, config);
  return config;
}

function checkOptions(text: string, { protocol, settings, credentials }: GitConfig): void {
  const isSsh = protocol === 'ssh';
  const isHttp = protocol === 'https' || protocol === 'http';
  if (settings.credentials !== undefined && !isHttp) throw refuse(text, 'credentials is for https://');
  if (settings.sshKey !== undefined && !isSsh) throw refuse(text, 'sshKey is for ssh://');
  if (settings.knownHosts !== undefined && !isSsh) throw refuse(text, 'knownHosts is for ssh://');
  if (settings.credentials !== undefined && credentials !== undefined) {
    throw refuse(text, 'credentials stand in the URL and in a file; one of them is enough');
  }
}

function parse(text: string): SourceConfig {
  if (text === '') throw refuse(text, 'it is empty');
  if (text.startsWith('-')) throw refuse(text, "it begins with '-'; write './-…' for a directory of such a name");
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw refuse(text, 'it holds a control character');
  if (text.startsWith('bundle:')) return parseBundle(text);
  if (/^[a-z0-9+.-]+::/i.test(text)) throw refuse(text, 'transport helpers such as ext:: are not supported');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseGitUrl(text);
  const scp = /^(?<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@(?<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?<rest>.+)$/.exec(text);
  if (scp?.groups !== undefined) return parseScp(text, scp.groups);
  return { kind: 'directory', path: text };
}

/** The source in one line, without credentials: what records, metrics and messages call it. */
export function gitSourceName({ url, ref, path }: GitConfig): string {
  return `${url}#${formatRef(ref)}${path === '' ? '' : `:${path}`}`;
}

function parseGitUrl(text: string): GitConfig {
  const { address, ...rest } = splitFragment(text);
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
    return { kind: 'git', protocol, url: url.href, credentials: undefined, ...rest };
  }
  url.username = '';
  url.password = '';
  const credentials = user === '' && password === '' ? undefined : { user, password };
  return { kind: 'git', protocol, url: url.href, credentials, ...rest };
}

/** `bundle:/path/of/file`, on a stick say. The name keeps the prefix: a file and a repository may have one path. */
function parseBundle(text: string): GitConfig {
  const { address, ...rest } = splitFragment(text);
  const file = address.slice('bundle:'.length);
  if (!file.startsWith('/') || file.endsWith('/')) throw refuse(text, 'a bundle is a file with an absolute path');
  return { kind: 'git', protocol: 'bundle', url: address, credentials: undefined, ...rest };
}

/** `git@host:path`, the short form of ssh. The path is relative to the home directory over there. */
function parseScp(text: string, groups: Readonly<Record<string, string>>): GitConfig {
  const { user = '', host = '' } = groups;
  const { address, ...rest } = splitFragment(groups['rest'] ?? '');
  if (address === '' || address.startsWith('-')) throw refuse(text, 'the path of the repository is missing');
  return { kind: 'git', protocol: 'ssh', url: `${user}@${host}:${address}`, credentials: undefined, ...rest };
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
      throw refuse(
        mask(text),
        `a Git source is https://, ssh://, file://, bundle:/FILE or user@host:path, not ${url.protocol}//`,
      );
  }
}

type Fragment = { readonly address: string } & Pick<GitConfig, 'ref' | 'path' | 'settings'>;

function splitFragment(text: string): Fragment {
  const at = text.indexOf('#');
  const address = at === -1 ? text : text.slice(0, at);
  const fragment = at === -1 ? '' : text.slice(at + 1);
  const query = fragment.indexOf('?');
  try {
    const settings = parseSourceOptions(query === -1 ? '' : fragment.slice(query + 1));
    return { address, ...parseRefAndPath(query === -1 ? fragment : fragment.slice(0, query)), settings };
  } catch (error) {
    throw refuse(text, error instanceof Error ? error.message : String(error));
  }
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
