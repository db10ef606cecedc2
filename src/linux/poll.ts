// Waiting on the event loop until a descriptor is readable (a pidfd: the process ended; a pipe: bytes, or its end) or writable.
import { koffi } from './koffi.ts';

type WaitOptions = { readonly signal?: AbortSignal; readonly keepAlive?: boolean };

/**
 * Resolves when `fd` is readable or was hung up. The descriptor must stay open until then. When `signal` aborts, the
 * wait ends with its reason. A wait with `keepAlive: false` does not keep the process running.
 */
export function readable(fd: number, options: WaitOptions = {}): Promise<void> {
  return ready(fd, { readable: true, disconnect: true }, options);
}

/** As `readable`, until `fd` takes bytes. A descriptor is waited for once at a time: to wait for both, duplicate it. */
export function writable(fd: number, options: WaitOptions = {}): Promise<void> {
  return ready(fd, { writable: true, disconnect: true }, options);
}

type Events = { readonly readable?: true; readonly writable?: true; readonly disconnect: true };

function ready(fd: number, events: Events, { signal, keepAlive = true }: WaitOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const poll = koffi.node.poll(fd, events, () => {
      finish();
      resolve();
    });
    if (!keepAlive) poll.unref();
    const abort = (): void => {
      finish();
      reject(signal?.reason as Error);
    };
    const finish = (): void => {
      poll.close();
      signal?.removeEventListener('abort', abort);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
