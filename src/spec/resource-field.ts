// What `resourceFieldRef` says of a container's limits and requests ("Expose Pod Information to Containers").
import type { Resources } from './model.ts';
import { parseQuantity, toMillis, toUnits } from './quantity.ts';

export const RESOURCE_FIELDS = ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'] as const;

export type ResourceField = (typeof RESOURCE_FIELDS)[number];

/** Of a machine. */
export type Capacity = { readonly cpuMillis: number; readonly memoryBytes: number };

const CPU_DIVISORS = /^1m?$/;
const MEMORY_DIVISORS = /^1([kMGTPE]|[KMGTPE]i)?$/;

/** A divisor in thousandths of a core or in bytes; undefined when Kubernetes allows no such. 0 is 1 to it. */
export function resourceDivisor(resource: ResourceField, divisor: string | number | bigint): number | undefined {
  const text = String(divisor) === '0' ? '1' : String(divisor);
  const nanos = parseQuantity(text);
  const isOfCpu = resource.endsWith('.cpu');
  if (nanos === undefined || !(isOfCpu ? CPU_DIVISORS : MEMORY_DIVISORS).test(text)) return undefined;
  return isOfCpu ? toMillis(nanos) : toUnits(nanos);
}

/** The limit or request in units of the divisor, rounded up. No limit: the machine's capacity; no request: 0. */
export function resourceValue(
  { resource, divisor }: { readonly resource: ResourceField; readonly divisor: number },
  resources: Resources | undefined,
  capacity: Capacity | undefined,
): number {
  return Math.ceil(amount(resource, resources, capacity) / divisor);
}

function amount(resource: ResourceField, resources: Resources | undefined, capacity: Capacity | undefined): number {
  switch (resource) {
    case 'limits.cpu':
      return resources?.cpuLimitMillis ?? capacity?.cpuMillis ?? 0;
    case 'limits.memory':
      return resources?.memoryLimitBytes ?? capacity?.memoryBytes ?? 0;
    case 'requests.cpu':
      return resources?.cpuRequestMillis ?? 0;
    case 'requests.memory':
      return resources?.memoryRequestBytes ?? 0;
  }
}
