// Hooks: their order, where each runs and what it reads, and what follows when one fails.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Hook, Hooks } from '../../src/oci/runtime/config.ts';
import type { Case, Change } from './oci-case.ts';

// Appends a line to /log of the container: the hook's name, a status, whether the pid is the one in its own namespace, and where it is.
const HOOK = `#!/bin/sh
state=$(cat)
field() { echo "$state" | sed -n "s/.*\\"$1\\": *\\"\\{0,1\\}\\([^,\\"}]*\\).*/\\1/p"; }
pid=$(field pid)
[ "$pid" = 1 ] && pid=one || pid=\${pid:+another}
case $(pwd) in */rootfs) here=rootfs;; *) here=\${PWD##*/};; esac
echo "$1: $(field status) id=$(field id) pid=$pid in=$here host=$(hostname) A=$A note=$(field note) $#" | sed "s/\\(runc\\|crun\\|berth\\)-[0-9]*/ID/g" >> LOG
shift; "$@"
`;
const HOST_NAME = /host=(?!bundle)\S+/g;
const STATUS = /: (creating|created) /g;

/** A hook of the bundle in `directory` that notes its name and then runs a command. */
function noting(directory: string, name: string, ...command: readonly string[]): Hook {
  return {
    path: join(directory, 'hook'),
    args: ['hook', name, ...command],
    env: ['A=1', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
  };
}

/** The bundle with hooks, made by a function that is given its directory. */
function hooks(make: (directory: string) => Hooks): Change {
  return (config, directory) => {
    mkdirSync(join(directory, 'rootfs'), { recursive: true });
    writeFileSync(join(directory, 'rootfs', 'log'), '', { mode: 0o666 });
    writeFileSync(join(directory, 'hook'), HOOK.replace('LOG', join(directory, 'rootfs', 'log')), { mode: 0o755 });
    return { ...config, annotations: { note: 'kept' }, hooks: make(directory) };
  };
}

const inside = (script: string): Hook => ({ path: '/bin/sh', args: ['sh', '-c', script], env: ['B=2'] });
const quiet = (output: string): string => output.replaceAll(HOST_NAME, 'host=HOST').replaceAll(STATUS, ': BEFORE ');
const noMessage = (): string => '';

const FAILED: Pick<Case, 'codes' | 'normal'> = { codes: 'failure', normal: noMessage };
const RUNC_POSTSTART =
  'runc before 1.3 stops the container when a poststart hook fails, whatever the version of the bundle says';

/** By what they are about. */
export const HOOK_CASES: Readonly<Record<string, Case>> = {
  'hooks before the program, in their order': {
    script: 'cat /log',
    change: hooks((directory) => ({
      createRuntime: [noting(directory, 'createRuntime')],
      prestart: [noting(directory, 'prestart 1'), noting(directory, 'prestart 2')],
      createContainer: [noting(directory, 'createContainer')],
      startContainer: [inside('cat > /dev/null; echo startContainer $(hostname) $(pwd) B=$B >> /log')],
    })),
    normal: quiet,
    differs: {
      crun: 'crun runs createContainer hooks in the root directory, and gives them the pid of the host',
    },
  },
  'a hook that does not read its state': {
    script: 'cat /log',
    change: hooks((directory) => ({ prestart: [{ path: '/bin/true' }, noting(directory, 'prestart')] })),
    normal: quiet,
  },
  'what a createContainer hook mounts': {
    script: 'cat /mnt/note; grep -c " /mnt " /proc/mounts',
    change: (config, directory) => {
      mkdirSync(join(directory, 'rootfs/mnt'), { recursive: true });
      const mount = 'mount -t tmpfs tmpfs mnt && echo mounted > mnt/note && ls proc/self/status dev/null > /dev/null';
      const hook = {
        path: '/bin/sh',
        args: ['sh', '-c', `cd ${directory}/rootfs && ${mount}`],
        env: ['PATH=/usr/bin:/bin:/sbin'],
      };
      return { ...config, hooks: { createContainer: [hook] } };
    },
    expect: { code: 0, output: 'mounted\n1\n' },
  },
  'a prestart hook that fails': {
    script: 'echo not reached',
    change: hooks((directory) => ({ prestart: [noting(directory, 'prestart', 'false')] })),
    ...FAILED,
  },
  'a createRuntime hook that fails': {
    script: 'echo not reached',
    change: hooks((directory) => ({ createRuntime: [noting(directory, 'createRuntime', 'false')] })),
    ...FAILED,
  },
  'a createContainer hook that fails': {
    script: 'echo not reached',
    change: hooks((directory) => ({ createContainer: [noting(directory, 'createContainer', 'false')] })),
    ...FAILED,
  },
  'a startContainer hook that fails': {
    script: 'echo not reached',
    change: hooks(() => ({ startContainer: [inside('exit 3')] })),
    ...FAILED,
  },
  'a poststart hook that fails': {
    script: 'sleep 0.5; echo ran',
    change: hooks((directory) => ({ poststart: [noting(directory, 'poststart', 'false')] })),
    normal: (output) => (/^ran$/m.test(output) ? 'ran' : 'ended'),
    differs: { runc: RUNC_POSTSTART },
    expect: { code: 0, output: 'ran' },
  },
  'a poststop hook that fails': {
    script: 'echo ran',
    change: hooks((directory) => ({ poststop: [noting(directory, 'poststop', 'false')] })),
    normal: (output) => (/^ran$/m.test(output) ? 'ran' : 'ended'),
    expect: { code: 0, output: 'ran' },
  },
  'a hook that takes too long': {
    script: 'echo not reached',
    change: hooks(() => ({ prestart: [{ path: '/bin/sleep', args: ['sleep', '60'], timeout: 1 }] })),
    ...FAILED,
  },
  'a hook in the container that takes too long': {
    script: 'echo not reached',
    change: hooks(() => ({ createContainer: [{ path: '/bin/sleep', args: ['sleep', '60'], timeout: 1 }] })),
    ...FAILED,
  },
  'a hook that is not there': {
    script: 'echo not reached',
    change: hooks(() => ({ createRuntime: [{ path: '/no/such/hook' }] })),
    ...FAILED,
  },
};
