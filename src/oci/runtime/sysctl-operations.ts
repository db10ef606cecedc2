// linux.sysctl: only what belongs to a namespace of the container (SEC-8, CVE-2022-0811). Anything else is the machine's.
import type { Operation } from '../../linux/tape/operation.ts';
import { OciError } from '../error.ts';
import type { Linux, NamespaceType } from './config.ts';
import { writeFile } from './path-operations.ts';

const NAME = /^[a-z0-9_]+(\.[a-zA-Z0-9_:@-]+)+$/;
const OF_IPC: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Write the sysctls, in a /proc that was mounted just now. Throws OciError CONFIG_INVALID on one of the machine. */
export function sysctlOperations({ sysctl = {}, namespaces = [] }: Linux): Operation[] {
  return Object.entries(sysctl).flatMap(([name, content]) => {
    if (!NAME.test(name)) throw new OciError('CONFIG_INVALID', `linux.sysctl: '${name}' is not a sysctl's name`);
    const needed = namespaceOf(name);
    if (needed === undefined)
      throw new OciError('CONFIG_INVALID', `linux.sysctl: '${name}' is a setting of the machine, not of a namespace`);
    if (!namespaces.some(({ type }) => type === needed)) {
      const message = `linux.sysctl: '${name}' would set the machine's, as the container has no '${needed}' namespace`;
      throw new OciError('CONFIG_INVALID', message);
    }
    return writeFile(`/proc/sys/${name.replaceAll('.', '/')}`, content, `sysctl ${name}`);
  });
}

function namespaceOf(name: string): NamespaceType | undefined {
  if (name.startsWith('net.')) return 'network';
  if (OF_IPC.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  return name === 'kernel.domainname' ? 'uts' : undefined;
}
