// The single judge of what happens after an error. Pure.

/** `retry`: again with a growing pause. `wait`: again after a long pause. `stalled`: not until the manifest changes. */
export type ErrorClass = 'retry' | 'wait' | 'stalled';

/** Only another manifest can help. */
const STALLED: ReadonlySet<string> = new Set([
  'REFERENCE_INVALID',
  'DIGEST_INVALID',
  'MANIFEST_INVALID',
  'MANIFEST_UNSUPPORTED',
  'PLATFORM_UNAVAILABLE',
  'TAR_INVALID',
  'LAYER_INVALID',
  'UNSAFE_PATH',
  'ARCHIVE_INVALID',
  'CONFIG_INVALID',
  'NETWORK_INVALID',
  'PORT_INVALID',
]);

/** Somebody must do something elsewhere first: fix the credentials, free the disk. (A tag is often pushed moments later.) */
const WAIT: ReadonlySet<string> = new Set([
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_RATE_LIMITED',
  'CREDENTIALS_INVALID',
  'IMAGE_MISSING',
  'DISK_FULL',
  'NETWORK_CONFLICT',
  'ADDRESSES_EXHAUSTED',
  'ENOSPC',
  'EDQUOT',
]);

/** Judge by `code` alone, never by the message. An error nobody has thought of is tried again. */
export function classify(error: unknown): ErrorClass {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (STALLED.has(code)) return 'stalled';
  return WAIT.has(code) ? 'wait' : 'retry';
}
