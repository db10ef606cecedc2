// The process of `exec`: from a file, or the container's own with what the flags change of it.
import { readFileSync } from 'node:fs';

import type { Process } from '../../oci/runtime/config.ts';
import { OciError } from '../../oci/error.ts';
import { parseProcess, type CheckedProcess } from '../../oci/runtime/check-config.ts';
import { parseId } from '../../oci/runtime/user.ts';
import { processProblem } from './bundle.ts';

export type ProcessFlags = {
  readonly cwd: string | undefined;
  readonly env: readonly string[];
  readonly tty: boolean;
  readonly user: string | undefined;
  readonly 'additional-gids': readonly string[];
  readonly cap: readonly string[];
  readonly 'no-new-privs': boolean;
  readonly apparmor: string | undefined;
  readonly 'process-label': string | undefined;
};

/** A process as a file has it, with warnings of what is left out of it. Throws OciError CONFIG_INVALID that names the property. */
export function readProcess(file: string): CheckedProcess {
  try {
    return parseProcess(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (error instanceof OciError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('CONFIG_INVALID', `Cannot read the process in ${file}: ${reason}`, { cause: error });
  }
}

/** The container's own process with another program, as the flags change it. Pure. Throws OciError CONFIG_INVALID. */
export function changedProcess(base: Process, args: readonly string[], flags: ProcessFlags): Process {
  const gids = flags['additional-gids'].flatMap((list) => list.split(',')).map((gid) => idOf(gid, '--additional-gids'));
  const { apparmor, 'process-label': label } = flags;
  return checked({
    ...base,
    args,
    terminal: flags.tty,
    cwd: flags.cwd ?? base.cwd,
    env: [...(base.env ?? []), ...flags.env],
    user: { ...base.user, ...userOf(flags.user), additionalGids: [...(base.user.additionalGids ?? []), ...gids] },
    ...(flags.cap.length === 0 ? {} : { capabilities: withCapabilities(base.capabilities, flags.cap) }),
    ...(flags['no-new-privs'] ? { noNewPrivileges: true } : {}),
    ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
    ...(label === undefined ? {} : { selinuxLabel: label }),
  });
}

/** `uid[:gid]`, numbers both, as with runc: the container's /etc/passwd is not looked at. */
function userOf(spec: string | undefined): { readonly uid?: number; readonly gid?: number } {
  if (spec === undefined) return {};
  const [uid = '', gid] = spec.split(':');
  return { uid: idOf(uid, '--user'), ...(gid === undefined ? {} : { gid: idOf(gid, '--user') }) };
}

function idOf(text: string, flag: string): number {
  const id = parseId(text);
  if (id === undefined) throw new OciError('CONFIG_INVALID', `${flag}: '${text}' is not a number of a user or group`);
  return id;
}

type Capabilities = NonNullable<Process['capabilities']>;

/** Added where a program can use them: not to the inheritable ones, which files' capabilities turn into more (CVE-2022-29162). */
function withCapabilities(base: Capabilities = {}, added: readonly string[]): Capabilities {
  const more = (names: readonly string[] = []): string[] => [...new Set([...names, ...added])];
  return {
    ...base,
    bounding: more(base.bounding),
    effective: more(base.effective),
    permitted: more(base.permitted),
    ambient: more(base.ambient),
  };
}

function checked(process: Process): Process {
  const problem = processProblem(process);
  if (problem !== undefined) throw new OciError('CONFIG_INVALID', problem);
  return process;
}
