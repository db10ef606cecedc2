// A name for a container that nobody named.
import { randomInt } from 'node:crypto';

const FIRST = ['amber', 'calm', 'bright', 'brisk', 'clear', 'fair', 'keen', 'quiet', 'steady', 'swift', 'tidy', 'warm'];
const SECOND = ['anchor', 'bow', 'buoy', 'dock', 'gull', 'harbor', 'keel', 'mast', 'pier', 'quay', 'rudder', 'sail'];
const NUMBERS = 10_000;

/** Such as `calm-quay-4711`. */
export function randomName(): string {
  return `${pick(FIRST)}-${pick(SECOND)}-${randomInt(NUMBERS)}`;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'berth';
}
