// Names of network devices: netdevice(7), IFNAMSIZ.

/** With the NUL at the end. */
export const IFNAMSIZ = 16;

/** Whether the kernel takes this as a device's name, and programs can print it without quotes. */
export function isLinkName(name: string): boolean {
  return name.length < IFNAMSIZ && /^[a-zA-Z0-9_-][a-zA-Z0-9_.-]*$/.test(name);
}
