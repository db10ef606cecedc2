// Where the time of a start goes, told to whoever wants to measure it: lower layers do not log, and have no metrics.

/** In the order of a start. */
export const START_PHASES = [
  /** What an image reference stands for. */
  'resolve',
  /** From the registry, until the last byte is here. */
  'pull',
  /** Layers unpacked, as far as that was not done while they came. */
  'unpack',
  /** A pod's network: links, addresses, rules. */
  'net',
  /** A control group with its limits. */
  'cgroup',
  /** The process that makes the container. */
  'spawn',
  /** In the container: namespaces, root file system, mounts, identity, until its program is executed. */
  'mount',
  /** From the program's start until the container is ready for the first time, where it has a probe. */
  'ready',
] as const;

export type StartPhase = (typeof START_PHASES)[number];

export type PhaseListener = (phase: StartPhase, durationMs: number) => void;

/** Tell how long it takes from here until the disposal, however it ends. */
export function measurePhase(phase: StartPhase, onPhase: PhaseListener): Disposable {
  const begin = performance.now();
  return { [Symbol.dispose]: () => onPhase(phase, performance.now() - begin) };
}
