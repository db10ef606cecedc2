// What containers used between two snapshots. Pure.
import type { ContainerSnapshot, Snapshot } from '../agent/container-snapshot.ts';

/** One container. This is also what `-o json` prints: names stay. */
export type UsageView = {
  readonly id: string;
  readonly name: string;
  /** Of one processor: 2 is two whole ones. Absent when it began meanwhile. */
  readonly cpuShare?: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes?: number;
  /** Since the pod was made; absent with the machine's network, and for pods of several containers but on the first. */
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly threads: number;
};

const NANOSECONDS_A_MILLISECOND = 1e6;

/** Every running container of `after`, with its rates since `before`. */
export function usageBetween(before: Snapshot, after: Snapshot): UsageView[] {
  const earlier = new Map(before.containers.map((one) => [one.labels['id'], one]));
  const elapsedMs = after.now - before.now;
  return after.containers
    .filter(({ state }) => state === 'running')
    .map((container) => {
      const share = cpuShare(earlier.get(container.labels['id']), container, elapsedMs);
      const limit = container.limits.memoryBytes;
      return {
        id: idOf(container),
        name: container.labels['name'] ?? '',
        ...(share === undefined ? {} : { cpuShare: share }),
        memoryBytes: container.stats?.memory?.workingSetBytes ?? 0,
        ...(limit === undefined ? {} : { memoryLimitBytes: limit }),
        ...networkOf(after, container),
        readBytes: sum(container.stats?.io?.map(({ readBytes }) => readBytes)),
        writtenBytes: sum(container.stats?.io?.map(({ writeBytes }) => writeBytes)),
        threads: container.stats?.pids?.current ?? 0,
      };
    });
}

function idOf({ labels }: ContainerSnapshot): string {
  const path = labels['id'] ?? '';
  return path.slice(path.lastIndexOf('/') + 1);
}

function cpuShare(
  before: ContainerSnapshot | undefined,
  after: ContainerSnapshot,
  elapsedMs: number,
): number | undefined {
  const [first, last] = [before?.stats?.cpu?.usageNs, after.stats?.cpu?.usageNs];
  if (first === undefined || last === undefined || elapsedMs <= 0) return undefined;
  return Math.max(0, last - first) / (elapsedMs * NANOSECONDS_A_MILLISECOND);
}

function networkOf(
  { networks }: Snapshot,
  { labels }: ContainerSnapshot,
): Pick<UsageView, 'receivedBytes' | 'sentBytes'> {
  const network = networks.find((one) => one.labels['id'] === labels['id']);
  if (network === undefined) return {};
  return {
    receivedBytes: sum(network.interfaces.map(({ receive }) => receive.bytes)),
    sentBytes: sum(network.interfaces.map(({ transmit }) => transmit.bytes)),
  };
}

function sum(numbers: readonly number[] = []): number {
  return numbers.reduce((total, number) => total + number, 0);
}
