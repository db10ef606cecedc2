// IP addresses between text and bytes: inet_pton(3), and RFC 5952 for the way back.
import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes in network order. Throws RangeError when `address` is no IPv4 or IPv6 address (zones are not taken). */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) throw new RangeError(`'${address}' is not an IP address`);
  const [head = '', tail] = withoutDottedQuad(address).split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of front.entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of back.entries()) bytes.writeUInt16BE(group, 16 - 2 * (back.length - index));
  return bytes;
}

/** The text of 4 or 16 bytes; IPv6 in the canonical form of RFC 5952. Throws RangeError on another length. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) throw new RangeError(`An IP address has 4 or 16 bytes, not ${bytes.length}`);
  const buffer = Buffer.from(bytes);
  const words = Array.from({ length: 8 }, (_, index) => buffer.readUInt16BE(2 * index));
  const run = longestZeroRun(words);
  if (run.length < 2) return hex(words);
  return `${hex(words.slice(0, run.start))}::${hex(words.slice(run.start + run.length))}`;
}

function hex(words: readonly number[]): string {
  return words.map((word) => word.toString(16)).join(':');
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

function groups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

/** `::ffff:1.2.3.4` ends in an IPv4 address: write it as two groups. */
function withoutDottedQuad(address: string): string {
  const quad = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (quad === null) return address;
  const [a = 0, b = 0, c = 0, d = 0] = quad.slice(1).map(Number);
  return `${address.slice(0, quad.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
