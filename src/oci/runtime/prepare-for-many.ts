// What a process that starts many containers does once, so that no start has to: see spawner.ts and shared-devices.ts.
import { capabilityMask } from '../../linux/capability.ts';
import { DEFAULT_CAPABILITIES, defaultDeviceRules, usableDeviceRules } from './defaults.ts';
import type { Runtime } from './runtime.ts';

/**
 * Prepare this process, for as long as it lives, to start containers with the default capabilities and, in cgroups directly below
 * `above`, with the default device rules. Others can be started as before. Rejects with what the kernel refuses.
 */
export async function prepareForMany(runtime: Runtime, above: string): Promise<void> {
  runtime.sharedDevices.share(runtime.cgroups, above, [...defaultDeviceRules([]), ...usableDeviceRules()]);
  await runtime.spawner.narrow(capabilityMask(DEFAULT_CAPABILITIES));
}
