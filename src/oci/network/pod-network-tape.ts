// The tapes that make and remove a pod's network. Making one enters new namespaces, which no thread of the agent may;
// removing one waits for the kernel, which the agent should not.
import { O_CLOEXEC } from '../../linux/at.ts';
import { MNT_DETACH, MS_FLAGS } from '../../linux/mount-flags.ts';
import { CLONE_FLAGS } from '../../linux/namespace-flags.ts';
import { encodeRequest, NLM_F_ACK } from '../../linux/netlink/message.ts';
import { deleteLink } from '../../linux/netlink/link.ts';
import { openSocket, receive, send } from '../../linux/netlink/tape-socket.ts';
import { NEXT } from '../../linux/tape/assemble.ts';
import { exitGroup, failBlock, statusFd } from '../../linux/tape/blocks.ts';
import {
  bits,
  bytes,
  inside,
  result,
  text,
  value,
  type Bytes,
  type Operation,
  type Tape,
} from '../../linux/tape/operation.ts';
import { atCwd, writeFile } from '../runtime/path-operations.ts';
import { REPLY_SIZE, type Datagram, type PodNetworkMessages } from './pod-network-messages.ts';

/** The machine's network namespace, as the messages name it. */
export const HOST_NAMESPACE_FD = 10;
const HOST_SOCKET = value(11, 'host socket');
const INSIDE_SOCKET = value(12, 'inside socket');
const hostNamespace = value(HOST_NAMESPACE_FD, 'host namespace');

const cloexec = value(O_CLOEXEC, 'O_CLOEXEC');
const NEW_NAMESPACES = CLONE_FLAGS.CLONE_NEWNET | CLONE_FLAGS.CLONE_NEWIPC;

export type PodNamespacePaths = { readonly netns: string; readonly ipcns: string };

/** A file below /proc/sys and what to write into it, in the pod's namespaces. */
export type Sysctl = { readonly path: string; readonly value: string };

export type PodNetworkTapeOptions = {
  readonly messages: PodNetworkMessages;
  /** Existing files: the namespaces are mounted on them, and live as long as they are. */
  readonly paths: PodNamespacePaths;
  readonly sysctls: readonly Sysctl[];
};

/** New network and IPC namespaces, pinned at `paths`, with the pod's cable. Writes an answer per step to its status. Pure. */
export function podNetworkTape({ messages, paths, sysctls }: PodNetworkTapeOptions): Tape {
  const replies = bytes(Buffer.alloc(messages.steps.length * REPLY_SIZE), '<replies>');
  const operations: Operation[] = [
    ...openSocket(HOST_SOCKET, 'host socket'),
    ...keepHostNamespace(),
    {
      call: 'unshare',
      args: [bits(NEW_NAMESPACES, CLONE_FLAGS)],
      what: 'make network and IPC namespaces',
    },
    pin('/proc/self/ns/net', paths.netns),
    pin('/proc/self/ns/ipc', paths.ipcns),
    ...sysctls.flatMap(({ path, value }) => writeFile(path, value, path)),
    ...openSocket(INSIDE_SOCKET, 'inside socket'),
    ...messages.datagrams.flatMap((datagram, index) => exchange(datagram, replies, answersBefore(messages, index))),
    { call: 'write', args: [statusFd, replies, replies.bytes.length], what: 'report the answers' },
    exitGroup(0),
  ];
  return { name: 'pod-network', blocks: [{ label: 'main', zone: 'parent', operations }, failBlock('parent')] };
}

function exchange({ socket, bytes: message, steps }: Datagram, replies: Bytes, firstAnswer: number): Operation[] {
  const at = socket === 'host' ? HOST_SOCKET : INSIDE_SOCKET;
  return [
    send(at, message, steps.map(({ what }) => what).join(', ')),
    ...steps.map(({ what }, index) =>
      receive(at, inside(replies, (firstAnswer + index) * REPLY_SIZE), REPLY_SIZE, what),
    ),
  ];
}

function answersBefore({ datagrams }: PodNetworkMessages, index: number): number {
  return datagrams.slice(0, index).reduce((count, { steps }) => count + steps.length, 0);
}

/** Unmount the namespaces, remove their files, delete the cable. What is not there is no failure. Pure. */
export function podNetworkRemovalTape(hostLink: string, paths: PodNamespacePaths): Tape {
  const request = deleteLink(hostLink);
  const reply = bytes(Buffer.alloc(REPLY_SIZE), '<reply>');
  const operations: Operation[] = [
    ...[paths.netns, paths.ipcns].flatMap(unpin),
    ...openSocket(HOST_SOCKET, 'host socket'),
    send(HOST_SOCKET, encodeRequest({ ...request, flags: NLM_F_ACK }, 1), request.what),
    receive(HOST_SOCKET, inside(reply, 0), REPLY_SIZE, request.what),
    { call: 'write', args: [statusFd, reply, REPLY_SIZE], what: 'report the answer' },
    exitGroup(0),
  ];
  return { name: 'pod-network-removal', blocks: [{ label: 'main', zone: 'parent', operations }, failBlock('parent')] };
}

function keepHostNamespace(): Operation[] {
  const fd = result('host namespace');
  return [
    {
      call: 'openat',
      args: [atCwd, text('/proc/self/ns/net'), cloexec, 0],
      save: fd,
      what: "open the machine's network namespace",
    },
    { call: 'dup3', args: [fd, hostNamespace, cloexec], what: "give the machine's network namespace its number" },
  ];
}

function pin(namespace: string, path: string): Operation {
  return {
    call: 'mount',
    args: [text(namespace), text(path), 0, value(MS_FLAGS.MS_BIND, 'MS_BIND'), 0],
    what: `keep ${namespace} at ${path}`,
  };
}

function unpin(path: string): Operation[] {
  return [
    { call: 'umount2', args: [text(path), value(MNT_DETACH, 'MNT_DETACH')], what: `unmount ${path}`, onError: NEXT },
    { call: 'unlinkat', args: [atCwd, text(path), 0], what: `remove ${path}`, onError: NEXT },
  ];
}
