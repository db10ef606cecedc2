// Look for the program before the container counts as created: whoever made it hears at once that there is none, as with runc.
// Podman and Docker rely on it for their exit codes 126 and 127.
import { NEXT } from '../../linux/tape/assemble.ts';
import { text, value, type Block, type Operation } from '../../linux/tape/operation.ts';
import type { Process } from './config.ts';
import { atCwd } from './path-operations.ts';
import { execOperations } from './process-operations.ts';

const X_OK = value(1, 'X_OK');
const FOUND = 'found';

/** faccessat(2) of each file that execve(2) will be tried on, until one can be run. */
export function searchOperations(process: Process): Operation[] {
  const candidates = execOperations(process).map(({ args: [path = text('')], what }) => ({ path, what }));
  return candidates.map(({ path, what }, index) => ({
    call: 'faccessat',
    args: [atCwd, path, X_OK],
    what,
    onZero: FOUND,
    ...(index < candidates.length - 1 ? { onError: NEXT } : {}),
  }));
}

/** The operations as blocks: what follows the search is one of its own, to which it can jump. */
export function searchBlocks(label: string, operations: readonly Operation[]): Block[] {
  const last = operations.findLastIndex(({ onZero }) => onZero === FOUND);
  if (last === -1) return [{ label, zone: 'child', operations }];
  return [
    { label, zone: 'child', operations: operations.slice(0, last + 1) },
    { label: FOUND, zone: 'child', operations: operations.slice(last + 1) },
  ];
}
