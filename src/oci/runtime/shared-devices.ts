// Which containers find their device rules in the cgroup above their own, see cgroup/share-device-rules.ts.
import { dirname } from 'node:path';

import type { CgroupLayout } from '../../linux/cgroup/layout.ts';
import { shareDeviceRules } from '../../linux/cgroup/share-device-rules.ts';
import type { DeviceRule } from './config.ts';

export class SharedDevices {
  #above: string | undefined;
  #rules = '';

  /** Write `rules` into the cgroup `above`, where that can be; else nothing is shared. Throws what `shareDeviceRules` throws. */
  share(layout: CgroupLayout, above: string, rules: readonly DeviceRule[]): void {
    this.#above = shareDeviceRules(layout, above, rules) ? above : undefined;
    this.#rules = JSON.stringify(rules);
  }

  /** Whether a cgroup `path` that is made now has these rules from the one above it. */
  covers(path: string, rules: readonly DeviceRule[] = []): boolean {
    return this.#above === dirname(path) && this.#rules === JSON.stringify(rules);
  }

  /** Somebody has removed the cgroup above: what is made there now has no rules. */
  forget(): void {
    this.#above = undefined;
  }
}
