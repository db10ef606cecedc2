// Pressure stall information of a cgroup (Documentation/accounting/psi.rst).
import { readControlIfPresent } from './control-file.ts';
import type { Pressure, PressureStats } from './stats.ts';

/** The totals of one cgroup; undefined on kernels without, or booted with psi=0. */
export function pressureStats(directory: string): PressureStats | undefined {
  const read = (resource: string): Pressure | undefined => {
    const text = readControlIfPresent(`${directory}/${resource}.pressure`);
    return text === undefined ? undefined : parsePressure(text);
  };
  const cpu = read('cpu');
  const memory = cpu && read('memory');
  const io = memory && read('io');
  return cpu && memory && io && { cpu, memory, io };
}

/** Lines of `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`; kernels before 5.13 have no `full` line for cpu. */
export function parsePressure(text: string): Pressure {
  const total = (line: string): number => Number(new RegExp(`^${line} .*total=(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { waitingUs: total('some'), stalledUs: total('full') };
}
