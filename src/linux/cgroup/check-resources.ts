// What no machine can do: values outside of what the files of cgroups take, and names that are none. Pure.
import type { CgroupResources } from './resources.ts';

// Files that move, stop or end processes are no limits.
const NOT_LIMITS: ReadonlySet<string> = new Set(['cgroup.procs', 'cgroup.threads', 'cgroup.kill', 'cgroup.freeze']);

const MAX_SWAPPINESS = 100;
const PAGE_SIZE = /^[1-9]\d*(KB|MB|GB)$/;
const UNIFIED_FILE = /^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$/;
// dev_valid_name() of the kernel: neither empty nor with white space, `/` or `:`.
const INTERFACE = /^[^\s/:]{1,15}$/;

/** Throws a RangeError that names the field, as config-linux.md has it. Every name of a file is checked (SEC-9). */
export function checkResources(resources: CgroupResources): void {
  const { memory = {}, cpu = {}, hugepageLimits = [], network = {}, rdma = {}, unified = {} } = resources;
  for (const { pageSize } of hugepageLimits) {
    must(PAGE_SIZE.test(pageSize), 'hugepageLimits', `a page size is as '2MB', but this is '${pageSize}'`);
  }
  for (const { name } of network.priorities ?? []) {
    must(INTERFACE.test(name), 'network.priorities', `'${name}' is no name of an interface`);
  }
  for (const [name, { hcaHandles, hcaObjects }] of Object.entries(rdma)) {
    must(/^\S+$/.test(name), 'rdma', `'${name}' is no name of a device`);
    must(hcaHandles !== undefined || hcaObjects !== undefined, 'rdma', `'${name}' limits neither handles nor objects`);
  }
  for (const file of Object.keys(unified)) {
    must(UNIFIED_FILE.test(file), 'unified', `'${file}' is no file of a cgroup`);
    must(!NOT_LIMITS.has(file), 'unified', `'${file}' acts on processes and sets no limit`);
  }
  const { swappiness = 0 } = memory;
  must(swappiness >= 0 && swappiness <= MAX_SWAPPINESS, 'memory.swappiness', `${swappiness} is not from 0 to 100`);
  const { burst = 0, quota = 0, idle = 0 } = cpu;
  must(quota <= 0 || burst <= quota, 'cpu.burst', `${burst} is more than the quota, ${quota}`);
  must(idle === 0 || idle === 1, 'cpu.idle', `${idle} is neither 0 nor 1`);
}

function must(holds: boolean, field: string, problem: string): void {
  if (!holds) throw new RangeError(`linux.resources.${field}: ${problem}`);
}
