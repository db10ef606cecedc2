// The standard streams of a container's process, as descriptors of this process.
import { isNullDevice } from '../../linux/null-device.ts';
import type { Runtime } from './runtime.ts';

/** [ours, theirs] for spawnTape. The machine's /dev/null is not given away: a container's root could change its mode. */
export function streamsFor(
  runtime: Runtime,
  stdio: readonly [number, number, number],
): readonly (readonly [from: number, to: number])[] {
  return stdio.map((fd, index) => [isNullDevice(fd) ? runtime.nullDevice() : fd, index]);
}
