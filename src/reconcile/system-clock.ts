// The clock of the machine.
import type { Clock } from './effects.ts';

/** setTimeout(3) of Node takes 32 bits; a look that comes too early only looks once more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
