// Debian's docker-registry on the loopback, to pull from.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../../../examples/quickstart/machine.ts';
import { registryAnswers } from '../../tools/push.ts';
import { findProgram } from '../program.ts';
import type { Scene } from '../scene.ts';
import { startDaemon } from './daemon.ts';

/** `127.0.0.1:PORT` of a registry that ends with the scene. Rejects when docker-registry is not installed. */
export async function startRegistry(scene: Scene): Promise<string> {
  const path = findProgram('docker-registry');
  if (path === undefined) throw new Error('docker-registry is not installed: apt-get install docker-registry');
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(scene.directory, 'registry.json');
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(scene.directory, 'registry') } },
      http: { addr: address },
    }),
  );
  await startDaemon(scene, [path, 'serve', config], () => registryAnswers(`http://${address}`));
  return address;
}
