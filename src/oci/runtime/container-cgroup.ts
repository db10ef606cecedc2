// What config.json says of a container's cgroup, with what the runtime adds.
import type { DeviceRule, Resources, RuntimeConfig } from './config.ts';
import { usableDeviceRules } from './defaults.ts';

type Subject = { readonly id: string; readonly config: RuntimeConfig };

/** Where the container's cgroup is: what config.json says (a relative path is one from the top), else its own name. */
export function cgroupPath({ config, id }: Subject): string {
  const path = config.linux?.cgroupsPath || id;
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * What every container may use comes after the rules of config.json, as runc has it: else /dev could not be made. Nor could
 * the devices that it names; whether they can be used is for its rules to say.
 */
export function resourcesOf({ config }: Subject): Resources {
  const { resources = {}, devices = [] } = config.linux ?? {};
  if (resources.devices === undefined) return resources;
  const makeable = devices.map(({ type, major = 0, minor = 0 }): DeviceRule[] =>
    type === 'p' ? [] : [{ allow: true, type: type === 'u' ? 'c' : type, major, minor, access: 'm' }],
  );
  return { ...resources, devices: [...resources.devices, ...makeable.flat(), ...usableDeviceRules()] };
}
