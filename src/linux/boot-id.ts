// /proc/sys/kernel/random/boot_id: tells one boot from the next.
import { readFileSync } from 'node:fs';

/** The id of this boot, a UUID. State that carries another one is from before a restart of the machine. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
