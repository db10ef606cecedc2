// What a pod shares with the machine, and what it is told of the network: as its manifest says.
import { readlinkSync } from 'node:fs';

import baseTest from 'ava';

import { container, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

test(`a pod has its own aliases, resolvers and kernel parameters${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'pod-network');
  const spec = {
    hostNetwork: false,
    hostAliases: [{ ip: '10.1.2.3', hostnames: ['db', 'db.example'] }],
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['192.0.2.53'], searches: ['example.test'], options: [{ name: 'ndots', value: '2' }] },
    securityContext: {
      sysctls: [
        { name: 'net.ipv4.tcp_keepalive_time', value: '77' },
        { name: 'kernel.shmmni', value: '99' },
      ],
    },
  };
  scene.write('apps.yaml', yaml(pod('web', [container('main'), container('side')], spec)));
  await scene.startAgent();
  await scene.ready('web');
  const inside = async (name: string, ...command: readonly string[]): Promise<string> =>
    (await scene.berth('exec', name, '--', ...command)).stdout;
  t.regex(await inside('web/main', 'cat', '/etc/hosts'), /^10\.1\.2\.3\tdb\tdb\.example$/m);
  t.is(
    await inside('web/main', 'cat', '/etc/resolv.conf'),
    'nameserver 192.0.2.53\nsearch example.test\noptions ndots:2\n',
  );
  for (const name of ['web/main', 'web/side']) {
    t.is(await inside(name, 'cat', '/proc/sys/net/ipv4/tcp_keepalive_time', '/proc/sys/kernel/shmmni'), '77\n99\n');
  }
});

test(`hostPID and hostIPC leave a pod in the machine's namespaces${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'host-namespaces');
  scene.write(
    'apps.yaml',
    yaml(
      pod('open', [container('main')], { hostNetwork: false, hostPID: true, hostIPC: true }),
      pod('closed', [container('main')], { hostNetwork: false }),
    ),
  );
  await scene.startAgent();
  await scene.ready('open', 'closed');
  const namespace = (name: string, kind: string): string =>
    readlinkSync(`/proc/${scene.container(name)?.pid ?? 0}/ns/${kind}`);
  for (const kind of ['pid', 'ipc']) {
    t.is(namespace('open/main', kind), readlinkSync(`/proc/self/ns/${kind}`), kind);
    t.not(namespace('closed/main', kind), readlinkSync(`/proc/self/ns/${kind}`), kind);
  }
  const { stdout } = await scene.berth('exec', 'open/main', '--', 'ls', '/proc');
  t.true(stdout.split('\n').includes(String(scene.agentPid)), 'the agent is in view');
});
