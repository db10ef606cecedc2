// Standard streams from files, opened while the host is in view. The container writes to them itself: no pump process.
import { NEXT } from '../../linux/tape/assemble.ts';
import { result, text, value, type Operation, type Value } from '../../linux/tape/operation.ts';
import { atCwd, octal } from './path-operations.ts';

/** Files for the standard streams; a stream that is not named is inherited. */
export type StreamFiles = { readonly stdin?: string; readonly stdout?: string; readonly stderr?: string };

const O_RDONLY_CLOEXEC = value(0o2000000, 'O_RDONLY|O_CLOEXEC');
const O_APPEND_LOG = value(0o2002101, 'O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC');
const SAME_GROUP = 0xffffffff;

/** Open the files as descriptors 0, 1 and 2. */
export function streamOperations({ stdin, stdout, stderr }: StreamFiles): Operation[] {
  const both: Operation = { call: 'dup3', args: [1, 2, 0], what: 'send standard error there too' };
  return [
    ...(stdin === undefined ? [] : openStream(stdin, 0, O_RDONLY_CLOEXEC)),
    ...(stdout === undefined ? [] : openStream(stdout, 1, O_APPEND_LOG)),
    ...(stderr === undefined ? [] : stderr === stdout ? [both] : openStream(stderr, 2, O_APPEND_LOG)),
  ];
}

/** Give the log file to the user of the process, so that it can open /dev/stdout again. Root can anyway. */
export function ownStreamOperations({ stdout }: StreamFiles, uid: number): Operation[] {
  if (stdout === undefined || uid === 0) return [];
  return [
    { call: 'fchown', args: [1, uid, value(SAME_GROUP, '-1')], what: `give ${stdout} to user ${uid}`, onError: NEXT },
  ];
}

function openStream(path: string, fd: number, flags: Value): Operation[] {
  const opened = result(`stream ${fd}`);
  return [
    { call: 'openat', args: [atCwd, text(path), flags, octal(0o640)], save: opened, what: `open ${path}` },
    { call: 'dup3', args: [opened, fd, 0], what: `make it descriptor ${fd}` },
  ];
}
