// What a container's program finds at its standard input.
import { closeSync, openSync } from 'node:fs';

/** Let everything started from now on find an empty standard input, as nobody asked for ours to be passed on. */
export function withholdStandardInput(): void {
  closeSync(0);
  // The lowest number that is free is the one just closed (open(2)).
  openSync('/dev/null', 'r');
}
