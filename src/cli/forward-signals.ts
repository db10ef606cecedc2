// Signals to this process are meant for the program in the container that it waits for.
import { signalNumber } from '../linux/signal.ts';
import { isOciError } from '../oci/error.ts';
import type { Runtime } from '../oci/runtime/runtime.ts';
import { killContainer } from '../oci/runtime/signal-container.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** A program that is the first of its pid namespace and handles no SIGINT never gets it: so often, and it is killed. */
const PATIENCE = 3;
const SIGKILL = 9;

/** Pass signals on until disposed. Whoever presses Ctrl-C a third time has the container killed. */
export function forwardSignals(runtime: Runtime, id: string): Disposable {
  let interrupts = 0;
  const forward = (name: NodeJS.Signals): void => {
    if (name === 'SIGINT') interrupts += 1;
    const signal = interrupts >= PATIENCE ? SIGKILL : signalNumber(name);
    try {
      if (signal !== undefined) killContainer(runtime, id, signal);
    } catch (error) {
      // It has ended by itself.
      if (!isOciError(error, 'CONTAINER_STATE', 'CONTAINER_UNKNOWN')) throw error;
    }
  };
  for (const name of FORWARDED) process.on(name, forward);
  return {
    [Symbol.dispose]: () => {
      for (const name of FORWARDED) process.off(name, forward);
    },
  };
}
