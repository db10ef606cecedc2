// Another process that makes pods, until it is done or killed: network-create-pods.ts DIRECTORY PREFIX COUNT
import { join } from 'node:path';

import { ensureNetwork } from '../../src/oci/network/ensure-network.ts';
import { planNetwork } from '../../src/oci/network/network.ts';
import { createPodNetwork } from '../../src/oci/network/pod-network.ts';

const [directory = '', prefix = '', count = '0'] = process.argv.slice(2);
const network = await ensureNetwork(planNetwork({ stateDirectory: directory, bridge: 'bt0', ipv6: 'fd02::/64' }));
for (let index = 0; index < Number(count); index++) {
  const podUid = `${prefix}${index}`;
  const runDirectory = join(directory, 'pods', podUid);
  await createPodNetwork({ podUid, network, runDirectory, hostname: podUid, ports: [] });
  process.stdout.write(`${podUid}\n`);
}
