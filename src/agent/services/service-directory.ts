import { join } from 'node:path';

import type { Host } from '../../oci/host.ts';

/** Where it is kept which address is whose: durable, so that a Service has its address for as long as it is declared. */
export function serviceDirectory({ paths }: Pick<Host, 'paths'>): string {
  return join(paths.root, 'services');
}
