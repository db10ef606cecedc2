// A session keyring for each container, so that keys of whoever called the runtime are not in reach: keyrings(7), keyctl(2).
import { NEXT } from '../../linux/tape/assemble.ts';
import { text, value, type Operation } from '../../linux/tape/operation.ts';

const KEYCTL_JOIN_SESSION_KEYRING = value(1, 'KEYCTL_JOIN_SESSION_KEYRING');

/** Join a new one of this name. A kernel without keyrings, or a quota that is used up, does not keep a container from starting. */
export function sessionKeyring(name: string | undefined): Operation[] {
  if (name === undefined) return [];
  return [
    {
      call: 'keyctl',
      args: [KEYCTL_JOIN_SESSION_KEYRING, text(name)],
      what: 'make a session keyring',
      onError: NEXT,
    },
  ];
}
