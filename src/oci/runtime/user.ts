// Who a container's program runs as: `user[:group]` of an image, looked up in the image's own passwd and group files, which are
// read as bytes with limits and never by the C library (SEC-7). Unknown names are errors, never root (SEC-12).
import { OciError } from '../error.ts';
import type { User } from './config.ts';

const MAX_ID = 4294967294;
const MAX_LINES = 65536;

/** The files' contents; empty strings when the image has none. */
export type UserFiles = { readonly passwd: string; readonly group: string };

type Passwd = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };
type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] };

/** A user with the home directory that its HOME variable gets. */
export type LookedUpUser = { readonly user: User; readonly home: string };

/** Look up `spec` (`''`, `app`, `1000`, `app:web`, `1000:1000`). Throws OciError CONFIG_INVALID when a name is not there. */
export function lookUpUser(spec: string, files: UserFiles): LookedUpUser {
  const [userName = '', groupName] = spec.split(':', 2);
  const entries = parsePasswd(files.passwd);
  const uid = parseId(userName);
  const entry =
    userName === ''
      ? rootOf(entries)
      : (entries.find((each) => each.name === userName) ?? entries.find((each) => each.uid === uid));
  if (entry === undefined && uid === undefined) throw unknownName('user', userName, spec);
  const groups = parseGroup(files.group);
  const gid = groupName === undefined || groupName === '' ? (entry?.gid ?? 0) : groupId(groupName, groups, spec);
  const supplementary = entry === undefined || groupName !== undefined ? [] : groupsOf(entry.name, groups);
  return {
    user: { uid: entry?.uid ?? uid ?? 0, gid, additionalGids: supplementary },
    home: entry?.home ?? '/',
  };
}

/** An exact decimal up to 4294967294, or undefined: `007x`, `-1` and `4294967296` are names, and so unknown ones. */
export function parseId(text: string): number | undefined {
  return /^(0|[1-9]\d{0,9})$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined;
}

function rootOf(entries: readonly Passwd[]): Passwd {
  return entries.find((entry) => entry.uid === 0) ?? { name: 'root', uid: 0, gid: 0, home: '/root' };
}

function groupId(name: string, groups: readonly Group[], spec: string): number {
  const gid = groups.find((group) => group.name === name)?.gid ?? parseId(name);
  if (gid === undefined) throw unknownName('group', name, spec);
  return gid;
}

function groupsOf(name: string, groups: readonly Group[]): number[] {
  return groups.filter((group) => group.members.includes(name)).map((group) => group.gid);
}

function unknownName(kind: string, name: string, spec: string): OciError {
  return new OciError(
    'CONFIG_INVALID',
    `Unknown ${kind} '${name}' (from '${spec}'): not in the image's /etc/${kind === 'user' ? 'passwd' : 'group'}`,
  );
}

function parsePasswd(text: string): Passwd[] {
  return fieldsOf(text).flatMap(([name = '', , uidText = '', gidText = '', , home = '']) => {
    const uid = parseId(uidText);
    const gid = parseId(gidText);
    return name === '' || uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home: home || '/' }];
  });
}

function parseGroup(text: string): Group[] {
  return fieldsOf(text).flatMap(([name = '', , gidText = '', members = '']) => {
    const gid = parseId(gidText);
    return name === '' || gid === undefined
      ? []
      : [{ name, gid, members: members.split(',').filter((member) => member !== '') }];
  });
}

function fieldsOf(text: string): string[][] {
  return text
    .split('\n', MAX_LINES)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}
