// /proc/<pid>/net/dev: what the interfaces of a network namespace counted (proc_pid_net(5)). Pure.

export type InterfaceCounts = {
  readonly name: string;
  readonly receive: DirectionCounts;
  readonly transmit: DirectionCounts;
};

export type DirectionCounts = {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
};

const TRANSMIT_COLUMN = 8;

/** Every interface but the loopback. */
export function parseNetDev(text: string): InterfaceCounts[] {
  return text.split('\n').flatMap((line): InterfaceCounts[] => {
    const match = /^\s*(?<name>[^:\s]+):\s*(?<numbers>[\d\s]+)$/.exec(line);
    const { name, numbers } = match?.groups ?? {};
    if (name === undefined || numbers === undefined || name === 'lo') return [];
    const columns = numbers.trim().split(/\s+/).map(Number);
    const counts = (first: number): DirectionCounts => {
      const [bytes = 0, packets = 0, errors = 0, dropped = 0] = columns.slice(first);
      return { bytes, packets, errors, dropped };
    };
    return [{ name, receive: counts(0), transmit: counts(TRANSMIT_COLUMN) }];
  });
}
