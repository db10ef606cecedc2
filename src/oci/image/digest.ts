// Digests of the OCI image specification, descriptor.md "Digests": an algorithm, a colon, lower-case hex.
import { createHash, hash, type Hash } from 'node:crypto';

import { OciError } from '../error.ts';

const DIGEST = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/;

export type DigestAlgorithm = 'sha256' | 'sha512';

export type Digest = { readonly algorithm: DigestAlgorithm; readonly hex: string };

/**
 * Parse `sha256:<64 hex>` or `sha512:<128 hex>`. Every digest from outside goes through here before it becomes part of
 * a path or a URL (CVE-2024-3727). Throws OciError DIGEST_INVALID on anything else.
 */
export function parseDigest(text: string): Digest {
  const match = DIGEST.exec(text);
  const [algorithm, hex] = [match?.[1] ?? match?.[3], match?.[2] ?? match?.[4]];
  if (hex !== undefined && (algorithm === 'sha256' || algorithm === 'sha512')) return { algorithm, hex };
  const shown = JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
  throw new OciError('DIGEST_INVALID', `${shown} is not a digest: expected "sha256:" and 64 lower-case hex digits`);
}

/** Whether `text` is a digest that `parseDigest` accepts. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** The inverse of `parseDigest`. */
export function formatDigest({ algorithm, hex }: Digest): string {
  return `${algorithm}:${hex}`;
}

/** The digest of `bytes`, by default with sha256. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): string {
  return `${algorithm}:${hash(algorithm, bytes, 'hex')}`;
}

/** A running hash of the algorithm that `digest` uses. */
export function hashFor(digest: string): Hash {
  return createHash(parseDigest(digest).algorithm);
}

/** Throws OciError DIGEST_MISMATCH when `bytes` do not have `digest`; `what` names them in the message. */
export function verifyDigest(bytes: Uint8Array, digest: string, what: string): void {
  const actual = digestOf(bytes, parseDigest(digest).algorithm);
  if (actual !== digest) throw new OciError('DIGEST_MISMATCH', `${what} has digest ${actual}, expected ${digest}`);
}
