// A container in a user namespace of its own: what needs the host's privileges is done before it is entered, in a mount
// namespace that the new one is copied from; then its first process becomes root there (user_namespaces(7)).
//
//   monitor    unshare mounts ─▶ root attached, bind sources taken ─▶ enter the user namespace ─▶ clone3
//   container  the root once more, as a mount of its own ─▶ pivot_root ─▶ root of the user namespace ─▶ mounts
import { AT_RECURSIVE, OPEN_TREE_FLAGS } from '../../linux/mount-flags.ts';
import { CLONE_FLAGS } from '../../linux/namespace-flags.ts';
import { bits, result, text, value, type Operation } from '../../linux/tape/operation.ts';
import { moveMount } from './mount-calls.ts';
import { atCwd } from './path-operations.ts';

/** A mount namespace for the host's side of it, which goes with the process. */
export function hostSideMounts(): Operation {
  return {
    call: 'unshare',
    args: [value(CLONE_FLAGS.CLONE_NEWNS, 'CLONE_NEWNS')],
    what: 'prepare mounts apart from the host',
  };
}

/** What was copied into a less privileged mount namespace is locked, and no root can be made of it: a copy of it can be one. */
export function attachAgain(attachPoint: string): Operation[] {
  const tree = result('root again');
  const flags = OPEN_TREE_FLAGS.OPEN_TREE_CLONE | OPEN_TREE_FLAGS.OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  return [
    {
      call: 'open_tree',
      args: [atCwd, text(attachPoint), bits(flags, OPEN_TREE_FLAGS)],
      save: tree,
      what: 'take the attached root',
    },
    moveMount(tree, attachPoint, 'attach it as a mount of its own'),
  ];
}

/** Until here the process has been the host's root without its privileges: an id that the user namespace does not know. */
export function becomeRoot(): Operation[] {
  return [
    { call: 'setresgid', args: [0, 0, 0], what: 'become group 0 of the user namespace' },
    { call: 'setgroups', args: [0, 0], what: "leave the host's groups" },
    { call: 'setresuid', args: [0, 0, 0], what: 'become root of the user namespace' },
  ];
}
