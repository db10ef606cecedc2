// What a network remembers on disk: its subnets, and each pod's place in it. Written before the kernel is asked for
// anything, so that whoever finds the record after a crash can take back what was made.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { isErrno } from '../../linux/errno.ts';
import { OciError } from '../error.ts';
import type { PublishedPort } from './published-port.ts';

export type NetworkRecord = { readonly ipv4: string; readonly ipv6: string | undefined };

export type PodRecord = {
  readonly podUid: string;
  readonly bootId: string;
  readonly ipv4: string;
  readonly ipv6: string | undefined;
  /** The machine's end of the pod's cable. */
  readonly hostLink: string;
  readonly runDirectory: string;
  readonly ports: readonly PublishedPort[];
};

const NETWORK_FILE = 'network.json';
const PODS = 'pods';

/** What was chosen for the network; undefined before its first use. */
export function readNetworkRecord(directory: string): NetworkRecord | undefined {
  return readJson(join(directory, NETWORK_FILE)) as NetworkRecord | undefined;
}

/** Remember what was chosen for the network. */
export function writeNetworkRecord(directory: string, record: NetworkRecord): void {
  writeJson(join(directory, NETWORK_FILE), record);
}

/** A pod's place; undefined when it has none. Throws OciError NETWORK_INVALID on a uid that cannot be. */
export function readPodRecord(directory: string, podUid: string): PodRecord | undefined {
  return readJson(podFile(directory, podUid)) as PodRecord | undefined;
}

/** Remember a pod's place. Throws OciError NETWORK_INVALID on a uid that cannot be. */
export function writePodRecord(directory: string, record: PodRecord): void {
  writeJson(podFile(directory, record.podUid), record);
}

/** Forget a pod's place. It need not have one. */
export function removePodRecord(directory: string, podUid: string): void {
  rmSync(podFile(directory, podUid), { force: true });
}

/** The records of all pods that have (or are about to have, or had) a place in the network. */
export function listPodRecords(directory: string): PodRecord[] {
  return filesIn(join(directory, PODS)).flatMap((name) => {
    const record = name.endsWith('.json')
      ? (readJson(join(directory, PODS, name)) as PodRecord | undefined)
      : undefined;
    return record === undefined ? [] : [record];
  });
}

/** The lock file of the network: held while addresses and ports are chosen. */
export function lockFile(directory: string): string {
  return join(directory, 'lock');
}

/** Throws OciError NETWORK_INVALID: the uid becomes a file's name and a comment in nf_tables (SEC-18). */
function podFile(directory: string, podUid: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(podUid)) {
    throw new OciError('NETWORK_INVALID', `'${podUid}' is not a pod's uid`);
  }
  return join(directory, PODS, `${podUid}.json`);
}

/** Undefined where there is none, or one that a crash of the machine has cut short. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

// State is worth nothing after a restart of the machine: renamed into place, so that it is whole, but not synced.
function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}`;
  try {
    writeFileSync(temporary, JSON.stringify(value), { flag: 'wx', mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
