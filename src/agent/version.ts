// The version of this berth, from package.json: the one place where it is written.
import { readFileSync } from 'node:fs';

/** Such as `0.1.0`. */
export function berthVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
