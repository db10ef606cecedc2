// What the caller of a runtime wants beyond config.json: the flags of create, run and exec.
import type { Parent } from './monitor-operations.ts';

export type Launch = {
  readonly parent: Parent;
  /** Descriptors of this process that the program gets, at the same numbers: 3, 4, … without a gap. */
  readonly preservedFds?: readonly number[];
  /** Enter the root by chroot(2), where the root of the machine is a ramdisk that pivot_root(2) does not take. */
  readonly noPivot?: boolean;
  /** The name of a session keyring to make. Undefined: stay in the caller's. */
  readonly sessionKeyring?: string | undefined;
};
