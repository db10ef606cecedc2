// What config.json says of a container's cgroup, with what the runtime adds.
import type { Cgroup } from '../../linux/cgroup/cgroup.ts';
import type { DeviceRule, Resources, RuntimeConfig } from './config.ts';
import { usableDeviceRules } from './defaults.ts';
import { unitOf } from './systemd/unit.ts';

export type Subject = {
  readonly id: string;
  readonly config: RuntimeConfig;
  /** systemd makes the cgroup, and `cgroupsPath` is `slice:prefix:name`. */
  readonly systemd?: boolean | undefined;
};

/** A cgroup that may be held by its maker until the container's first process is in it. */
export type ContainerCgroup = Cgroup & {
  /** It is. Done once; again it does nothing. */
  readonly entered?: () => Promise<void>;
};

/** Where the container's cgroup is: what config.json says (a relative path is one from the top), else its own name. Throws OciError CONFIG_INVALID. */
export function cgroupPath({ config, id, systemd = false }: Subject): string {
  if (systemd) return unitOf(config.linux?.cgroupsPath, id).cgroupPath;
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
