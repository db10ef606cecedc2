// `berth-oci --version`: the lines that Podman's and Docker's `info` read.
import { berthVersion } from '../../agent/version.ts';

/** The version of the runtime specification that berth-oci implements. */
export const SPEC_VERSION = '1.2.0';

/** A line a fact, as runc prints them. */
export function versionText(): string {
  return `berth-oci version ${berthVersion()}\nspec: ${SPEC_VERSION}\nnode: ${process.version}`;
}
