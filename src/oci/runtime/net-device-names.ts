// linux.netDevices: which network devices of the machine go into the container, and what they are called there
// (config-linux.md, "Network Devices"). Pure.
import { isLinkName } from '../../linux/netlink/link-name.ts';
import { OciError } from '../error.ts';
import type { Linux } from './config.ts';

export type NetDeviceName = { readonly from: string; readonly to: string };

/** In the order of the configuration. A new name may have a `%d`. Throws OciError CONFIG_INVALID on what cannot be. */
export function netDeviceNames({ netDevices = {}, namespaces = [] }: Linux): readonly NetDeviceName[] {
  const names = Object.entries(netDevices).map(([from, { name = '' }]) => ({ from, to: name === '' ? from : name }));
  if (names.length === 0) return names;
  if (!namespaces.some(({ type }) => type === 'network'))
    throw invalid("the container has no 'network' namespace to move them to");
  for (const { from, to } of names) {
    if (!isLinkName(from)) throw invalid(`'${from}' is not the name of a network device`);
    if (!isLinkName(isTemplate(to) ? to.replace('%d', '0') : to))
      throw invalid(`'${to}' is not the name of a network device`);
  }
  const fixed = names.map(({ to }) => to).filter((to) => !isTemplate(to));
  const twice = fixed.find((to, index) => fixed.indexOf(to) !== index);
  if (twice !== undefined) throw invalid(`two are to be called '${twice}'`);
  return names;
}

/** Whether the kernel is to find a number that is free. */
export function isTemplate(name: string): boolean {
  return name.includes('%d');
}

function invalid(problem: string): OciError {
  return new OciError('CONFIG_INVALID', `linux.netDevices: ${problem}`);
}
