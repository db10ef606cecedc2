// Which Linux security modules are on. Reading /sys/kernel/security/lsm would need securityfs, which not every machine mounts.
import { existsSync, readFileSync } from 'node:fs';

import { isErrno } from './errno.ts';

const APPARMOR = '/sys/module/apparmor/parameters/enabled';
const SELINUX = '/sys/fs/selinux/enforce';

/** Whether AppArmor and SELinux are on. Throws what reading /sys throws. */
export function securityModules(): { readonly apparmor: boolean; readonly selinux: boolean } {
  return { apparmor: readIfThere(APPARMOR).startsWith('Y'), selinux: existsSync(SELINUX) };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
