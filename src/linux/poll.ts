// Waiting on the event loop until a descriptor is readable: a pidfd (the process ended), a pipe (bytes, or its end).
import koffi from 'koffi';

/**
 * Resolves when `fd` is readable or was hung up. The descriptor must stay open until then. When `signal` aborts, the
 * wait ends with its reason. A wait with `keepAlive: false` does not keep the process running.
 */
export function readable(
  fd: number,
  options: { readonly signal?: AbortSignal; readonly keepAlive?: boolean } = {},
): Promise<void> {
  const { signal, keepAlive = true } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const poll = koffi.node.poll(fd, { readable: true, disconnect: true }, () => {
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
