// process.apparmorProfile and process.selinuxLabel: what the program's execve(2) changes to. The files are the host's /proc,
// opened before pivot_root: a container's own could be anything (SEC-5, CVE-2025-52881).
import type { Operation } from '../../linux/tape/operation.ts';
import type { Process } from './config.ts';
import { writeFile } from './path-operations.ts';

/** Which security modules of labels this kernel runs. */
export type LabelModules = { readonly apparmor: boolean; readonly selinux: boolean };

/** Write the labels that this kernel knows of; the others do not count, as in crun. For the thread that will execve(2). */
export function labelOperations({ apparmorProfile, selinuxLabel }: Process, modules: LabelModules): Operation[] {
  return [
    ...(modules.apparmor && (apparmorProfile ?? '') !== ''
      ? writeFile('/proc/thread-self/attr/apparmor/exec', `exec ${apparmorProfile}`, 'apparmor profile')
      : []),
    ...(modules.selinux && selinuxLabel !== undefined && selinuxLabel !== ''
      ? writeFile('/proc/thread-self/attr/exec', selinuxLabel, 'selinux label')
      : []),
  ];
}
