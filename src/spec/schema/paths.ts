// Paths that a user may give. Each function answers with what is wrong, or undefined.
import { quoted } from '../quoted-text.ts';

const LONGEST = 4095;

/** A path from the root, without `..`: on the host (hostPath) or in the container (workingDir). */
export function absolutePathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return `${quoted(path)} must be an absolute path, beginning with '/'`;
  return commonProblem(path);
}

/** Where a volume appears in a container. */
export function mountPathProblem(path: string): string | undefined {
  const problem = absolutePathProblem(path);
  if (problem !== undefined) return problem;
  if (path.includes(':')) return `${quoted(path)} must not contain ':'`;
  const place = normalizedPath(path);
  if (place === '/') return "'/' is the container's own root; mount the volume below it";
  // A volume over /proc would let the container choose what the runtime reads and writes there (CVE-2019-16884).
  if (place === '/proc' || place.startsWith('/proc/'))
    return `${quoted(path)} lies in /proc, which belongs to the kernel`;
  return undefined;
}

/** A path inside a volume. */
export function relativePathProblem(path: string): string | undefined {
  if (path === '') return 'The path must not be empty';
  if (path.startsWith('/')) return `${quoted(path)} must be a relative path, without '/' at its beginning`;
  return commonProblem(path);
}

/** Without doubled and trailing slashes and without `.`: equal places have equal texts. */
export function normalizedPath(path: string): string {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  return (path.startsWith('/') ? '/' : '') + steps.join('/');
}

function commonProblem(path: string): string | undefined {
  if (path.split('/').includes('..')) return `${quoted(path)} must not contain '..'`;
  return Buffer.byteLength(path) > LONGEST ? `The path is longer than ${LONGEST} bytes` : undefined;
}
