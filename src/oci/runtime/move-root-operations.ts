// `--no-pivot`: into the container's root where pivot_root(2) is refused, which is where the machine's own root is the initial
// ramdisk (pivot_root(2), "EINVAL"). As switch_root(8) does: the new root is moved over the old one.
import { MS_FLAGS } from '../../linux/mount-flags.ts';
import { bits, text, type Operation } from '../../linux/tape/operation.ts';

/** From the attached root into it. The mounts of the host stay in the namespace, below it: pivot_root(2) is safer. */
export function moveRootOperations(attachPoint: string): Operation[] {
  return [
    { call: 'chdir', args: [text(attachPoint)], what: 'enter the new root' },
    {
      call: 'mount',
      args: [text('.'), text('/'), 0, bits(MS_FLAGS.MS_MOVE, MS_FLAGS), 0],
      what: "move it over the host's root",
    },
    { call: 'chroot', args: [text('.')], what: 'make it the root' },
    { call: 'chdir', args: [text('/')], what: 'stand in it' },
  ];
}
