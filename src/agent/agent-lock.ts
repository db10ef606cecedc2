// One agent for each root and each state directory: two would undo each other's work.
import { join } from 'node:path';

import { tryLock } from '../linux/flock.ts';
import type { Places } from './places.ts';

export class AgentRunning extends Error {
  readonly code = 'AGENT_RUNNING';

  constructor(directory: string) {
    super(
      `Another agent works with ${directory}: stop it first, or give this one other --root and --state directories`,
    );
    this.name = 'AgentRunning';
  }
}

/** Take both locks, until disposed. Throws AgentRunning, or what opening the files throws. */
export function takeAgentLock({ root, state }: Pick<Places, 'root' | 'state'>): Disposable {
  using held = new DisposableStack();
  for (const directory of new Set([root, state])) {
    const lock = tryLock(join(directory, 'agent.lock'));
    if (lock === undefined) throw new AgentRunning(directory);
    held.use(lock);
  }
  return held.move();
}
