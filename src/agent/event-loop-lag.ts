// How late the event loop is: a timer that fires twice a second says by how much it missed its time.
const INTERVAL_MS = 500;
const MS = 1000;

/** Tell `observe` the lag in seconds until disposed. The timer does not keep the process running. */
export function watchEventLoop(observe: (seconds: number) => void): Disposable {
  let due = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    observe(Math.max(0, now - due) / MS);
    due = now + INTERVAL_MS;
  }, INTERVAL_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
