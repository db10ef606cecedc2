// Machines with every controller, for plans that need no real one.
import type { CgroupLayout, Hierarchy } from '../../../src/linux/cgroup/layout.ts';

/** A hierarchy with these controllers, mounted where nothing is. */
export const hierarchy = (version: 1 | 2, ...controllers: readonly string[]): Hierarchy => ({
  version,
  mountPoint: `/cgroup/${controllers.join(',')}`,
  controllers,
  self: '/',
});
export const V1: CgroupLayout = {
  hierarchies: 'cpu cpuacct cpuset memory pids devices blkio freezer hugetlb net_cls net_prio rdma'
    .split(' ')
    .map((name) => hierarchy(1, name)),
};
export const V2: CgroupLayout = {
  hierarchies: [hierarchy(2, 'cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb', 'rdma')],
};
