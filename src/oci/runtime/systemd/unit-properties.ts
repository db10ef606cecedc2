// What a container's unit is made with, as runc and crun make theirs. Pure.
import { property, type UnitProperty } from './property.ts';
import type { Unit } from './unit.ts';

/** A scope is made with a process in it, a slice without one. */
export function unitProperties({ name, slice }: Unit, id: string, pid: number, cgroupVersion: 1 | 2): UnitProperty[] {
  const isSlice = name.endsWith('.slice');
  return [
    property('Description', 's', `libcontainer container ${id}`),
    ...(isSlice ? [property('Wants', 'as', [slice])] : [property('Slice', 's', slice)]),
    ...(isSlice ? [] : [property('Delegate', 'b', true), property('PIDs', 'au', [pid])]),
    ...[
      'MemoryAccounting',
      'CPUAccounting',
      cgroupVersion === 1 ? 'BlockIOAccounting' : 'IOAccounting',
      'TasksAccounting',
    ].map((accounting) => property(accounting, 'b', true)),
    property('DefaultDependencies', 'b', false),
  ];
}
