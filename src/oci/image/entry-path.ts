// The name of a tar entry as a path below the root of a layer. Pure; every refusal names the attack that it stops.
import { OciError } from '../error.ts';

const LONGEST_COMPONENT = 255;

/**
 * Bytes of a name (latin1) for a message: decoded, quoted, control characters escaped, at most 200 characters, so that
 * a hostile name can neither forge a log line nor drive a terminal.
 */
export function printableName(name: string): string {
  const decoded = Buffer.from(name.slice(0, 200), 'latin1').toString('utf8');
  const quoted = JSON.stringify(name.length > 200 ? `${decoded}…` : decoded);
  return quoted.replaceAll(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/**
 * The normal form of a name: components joined by single slashes, without `.` and outer slashes; '' is the root itself.
 * An absolute name is taken relative to the root, as by every other unpacker. Throws OciError UNSAFE_PATH.
 */
export function entryPath(name: string): string {
  if (isNormal(name)) return name;
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  for (const component of components) checkComponent(component, name);
  return components.join('/');
}

/** Most names are in normal form but for a trailing slash; this looks at each byte once and allocates nothing. */
function isNormal(name: string): boolean {
  let start = 0;
  for (let index = 0; index <= name.length; index++) {
    const code = index === name.length ? SLASH : name.charCodeAt(index);
    if (code === 0) return false;
    if (code !== SLASH) continue;
    const length = index - start;
    if (length === 0 || length > LONGEST_COMPONENT || (length <= 2 && name.charCodeAt(start) === DOT)) return false;
    start = index + 1;
  }
  return true;
}

const SLASH = 0x2f;
const DOT = 0x2e;

function checkComponent(component: string, name: string): void {
  if (component === '..') throw unsafe(name, `climbs out of its directory with '..'`);
  if (component.includes('\0')) throw unsafe(name, 'has a zero byte in it, which would cut it short');
  if (component.length > LONGEST_COMPONENT)
    throw unsafe(name, `has a component of more than ${LONGEST_COMPONENT} bytes`);
}

function unsafe(name: string, what: string): OciError {
  return new OciError('UNSAFE_PATH', `The name ${printableName(name)} ${what}`);
}

/** The path above, '' for a path of one component. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last component. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
