// A root file system with nothing but a static busybox, and an applet's name for each of its programs.
import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox';
const DIRECTORIES = ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'var'];

/** Why no container can run here, or undefined when it can. `programs` of Debian that the test needs besides. */
export function containersUnusable(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!isProgram(BUSYBOX)) return 'needs busybox-static';
  return programs.map((name) => (findProgram(name) === undefined ? `needs ${name}` : undefined)).find(Boolean);
}

/** Where a program of the machine is. By absolute path: a package of the same name may stand first in an npm script's PATH. */
export function findProgram(name: string): string | undefined {
  return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((directory) => join(directory, name)).find(isProgram);
}

/** Make `directory` a root file system. */
export function makeBusyboxRoot(directory: string): void {
  for (const name of DIRECTORIES) mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
  chmodSync(join(directory, 'tmp'), 0o1777);
  copyFileSync(BUSYBOX, join(directory, 'bin/busybox'));
  chmodSync(join(directory, 'bin/busybox'), 0o755);
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).split('\n');
  for (const name of applets.filter((name) => name !== '' && name !== 'busybox'))
    symlinkSync('busybox', join(directory, 'bin', name));
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/tmp:/bin/sh\n');
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\napp:x:1000:\n');
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
