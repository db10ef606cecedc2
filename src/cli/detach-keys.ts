// ctrl-p ctrl-q: leave a terminal, and what runs in it running.

const CTRL_P = 0x10;
const CTRL_Q = 0x11;

export type Keys = {
  /** What goes on to the program. */
  readonly bytes: Buffer;
  /** The keys to leave were pressed; what follows them is dropped. */
  readonly detached: boolean;
};

/** A reader of keys that finds ctrl-p ctrl-q, also over several chunks. A ctrl-p is held back until the next key is known. */
export function detachKeys(): (chunk: Buffer) => Keys {
  let held = Buffer.alloc(0);
  return (chunk) => {
    const keys = Buffer.concat([held, chunk]);
    const end = keys.indexOf(Buffer.of(CTRL_P, CTRL_Q));
    if (end !== -1) return { bytes: keys.subarray(0, end), detached: true };
    const whole = keys.length - (keys.at(-1) === CTRL_P ? 1 : 0);
    held = keys.subarray(whole);
    return { bytes: keys.subarray(0, whole), detached: false };
  };
}
