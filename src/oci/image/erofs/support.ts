// What is known of a kernel's EROFS before and after something was mounted with it.
import { readFileSync } from 'node:fs';

import type { Fd } from '../../../linux/fd.ts';
import { fsconfigCreate, fsconfigSet, fsopen } from '../../../linux/mount-api.ts';

export type ErofsSupport =
  | {
      readonly works: true;
      /**
       * Whether overlayfs takes a layer that is mounted nowhere, as this process holds it (Linux 6.15): then one mount, and one
       * page cache, serves all containers. Otherwise each container mounts its own.
       */
      readonly shared: boolean;
    }
  | { readonly works: false; readonly why: string };

const CAP_SYS_PTRACE = 1n << 19n;

/** What is known to go wrong, in ways that must not be tried. Pure. `kernel`: as uname(2) has it. */
export function refusal(kernel: string, selinuxEnforcing: boolean): string | undefined {
  const [major = 0, minor = 0, patch = 0] = kernel.split(/[.-]/).map(Number);
  // Blocks of 512 bytes and an image in a file: a panic until bae085416093.
  if (major === 6 && minor === 12 && patch < 2) return `Linux ${kernel} crashes on EROFS images in files`;
  // Files behind a mount are opened with the credentials of whoever reads until 905eeb2b7c33.
  const early = major < 6 || (major === 6 && minor < 16);
  if (selinuxEnforcing && early) return `Linux ${kernel} would have SELinux deny containers their files`;
  return undefined;
}

/** Whether SELinux denies, and does not only complain. */
export function isSelinuxEnforcing(): boolean {
  try {
    return readFileSync('/sys/fs/selinux/enforce', 'latin1').startsWith('1');
  } catch {
    return false;
  }
}

/** Whether a mount that this process holds can be a lower directory of containers. `directory`: any, to stack it on. */
export function isSharable(mount: Fd, directory: string): boolean {
  return overlayTakes(mount, directory) && othersSee();
}

function overlayTakes(mount: Fd, directory: string): boolean {
  try {
    using context = fsopen('overlay');
    fsconfigSet(context, 'lowerdir+', `/proc/self/fd/${mount.number}`);
    fsconfigSet(context, 'lowerdir+', directory);
    fsconfigCreate(context);
    return true;
  } catch {
    return false;
  }
}

/** The program that starts a container finds a mount of this process in /proc: ptrace(2), "Ptrace access mode checking". */
function othersSee(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return (BigInt(`0x${capabilities}`) & CAP_SYS_PTRACE) !== 0n;
}
