// The flags that create and run have in common.

export const CREATION_FLAGS = {
  bundle: { type: 'string', short: 'b', value: 'DIR', help: 'directory with config.json (default: the current one)' },
  'console-socket': { type: 'string', value: 'SOCKET', help: 'where the terminal of the container goes' },
  'pid-file': { type: 'string', value: 'FILE', help: 'write the number of the first process there' },
  'preserve-fds': { type: 'string', value: 'N', help: 'the container keeps descriptors 3 to 2+N too (default: 0)' },
  'no-pivot': { type: 'boolean', help: 'enter the root by chroot(2), for a root on a ramdisk' },
  'no-new-keyring': { type: 'boolean', help: 'stay in the session keyring of the caller' },
} as const;
