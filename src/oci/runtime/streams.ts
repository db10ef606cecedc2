// The standard streams of a container's process, as descriptors of this process.
import { isNullDevice } from '../../linux/null-device.ts';
import type { Process, RuntimeConfig } from './config.ts';
import { giveStreams } from './give-streams.ts';
import type { Runtime } from './runtime.ts';

/** [ours, theirs] for spawnTape. The machine's /dev/null is not given away: a container's root could change its mode. */
export function streamsFor(
  runtime: Runtime,
  stdio: readonly [number, number, number],
): readonly (readonly [from: number, to: number])[] {
  return stdio.map((fd, index) => [isNullDevice(fd) ? runtime.nullDevice() : fd, index]);
}

/** This process's own, given to the user of the container's process: see give-streams.ts. */
export function givenStreams(
  runtime: Runtime,
  { linux = {} }: RuntimeConfig,
  process: Process | undefined,
): ReturnType<typeof streamsFor> {
  giveStreams([0, 1, 2], process?.user.uid ?? 0, linux);
  return streamsFor(runtime, [0, 1, 2]);
}
