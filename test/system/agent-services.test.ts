// Services with real traffic: an agent in a network namespace of its own, pods that answer with their names.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

import baseTest, { type ExecutionContext } from 'ava';

import { listSandboxes } from '../../src/oci/pod/sandbox.ts';
import { container, deployment, yaml, type ManifestObject } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';

const reason = agentUnusable();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;
const run = promisify(execFile);

const NODE_PORT = 30080;
const MACHINE = '192.0.2.2';
/** Enough for each of two pods to be chosen, but for one time in 2^39. */
const MANY = 40;
/** What curl(1) says: CURLE_COULDNT_CONNECT, and not that time has run out. */
const REFUSED = /^curl: \(7\)/;

/** A network namespace with a default route, which lives as long as its process. */
async function newMachine(t: ExecutionContext): Promise<readonly string[]> {
  const script = `ip link set lo up; ip link add up0 type bridge; ip addr add ${MACHINE}/24 dev up0; ip link set up0 up
    ip route add default via 192.0.2.1; echo made; exec sleep 100000`;
  const holder = spawn('unshare', ['--net', 'sh', '-ec', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
  });
  await once(holder.stdout, 'data');
  return ['nsenter', `--net=/proc/${holder.pid}/ns/net`];
}

function web(replicas: number): ManifestObject {
  const answer = 'mkdir /tmp/www; hostname > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www';
  return deployment('web', { replicas, hostNetwork: false }, [
    container('main', {
      command: ['sh', '-c', answer],
      ports: [{ name: 'http', containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
    }),
  ]);
}

function service(): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      type: 'NodePort',
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 'http', nodePort: NODE_PORT }],
    },
  };
}

/** What a client in a network namespace is answered, or why it is not. */
async function ask(under: readonly string[], address: string): Promise<string> {
  const [program, ...args] = [...under, 'curl', '-sS', '-m', '3', `http://${address}/`];
  try {
    return (await run(program, args)).stdout.trim();
  } catch (error) {
    return (error as { stderr: string }).stderr.trim();
  }
}

async function answers(under: readonly string[], address: string): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (let count = 0; count < MANY; count++) seen.add(await ask(under, address));
  return [...seen].toSorted();
}

/** As nft(8) prints the chains of Services, without the bridge's name. */
async function listed(under: readonly string[], scene: AgentScene): Promise<readonly string[]> {
  const [program, ...args] = [...under, '/usr/sbin/nft', 'list', 'table', 'inet', scene.host.networkPlan.bridge];
  const { stdout } = await run(program, args);
  const lines = stdout.split('\n').map((line) => line.trim());
  return lines.filter((line) => /default\/web|no ready pod/.test(line));
}

test(`a Service leads to its ready pods from machine, pod and itself, over a kill of the agent${skipped}`, async (t) => {
  const scene = newAgentScene(t, 'services');
  const machine = await newMachine(t);
  scene.write('apps.yaml', yaml(web(2), service()));
  await scene.startAgent({ under: machine });
  await scene.ready('web');
  const names = listSandboxes(scene.host).map(({ name }) => name);
  const rules = await scene.until('rules for both pods', async () => {
    const found = await listed(machine, scene);
    return found.length === 10 ? found : undefined;
  });
  const plain = rules.map((line) => line.replace(/\([0-9a-f]{8}\)/, '(HASH)'));
  t.deepEqual(plain.slice(0, 4), [
    'ip daddr 10.96.0.2 tcp dport 80 numgen random mod 2 0 dnat ip to 10.88.0.2:8080 comment "default/web:80 (HASH)"',
    'ip daddr 10.96.0.2 tcp dport 80 dnat ip to 10.88.0.3:8080 comment "default/web:80 (HASH)"',
    'meta nfproto ipv4 fib daddr type local tcp dport 30080 numgen random mod 2 0 dnat ip to 10.88.0.2:8080 comment "default/web:80 (HASH)"',
    'meta nfproto ipv4 fib daddr type local tcp dport 30080 dnat ip to 10.88.0.3:8080 comment "default/web:80 (HASH)"',
  ]);

  t.deepEqual(await answers(machine, '10.96.0.2'), names.toSorted());
  t.deepEqual(await answers(machine, `127.0.0.1:${NODE_PORT}`), names.toSorted());
  t.deepEqual(await answers(machine, `${MACHINE}:${NODE_PORT}`), names.toSorted());
  // One of the two is the client itself.
  const inPod = ['nsenter', `--net=${listSandboxes(scene.host)[0]?.pinned?.netnsPath}`];
  t.deepEqual(await answers(inPod, '10.96.0.2'), names.toSorted());
  t.deepEqual(await answers(inPod, `${MACHINE}:${NODE_PORT}`), names.toSorted());

  await scene.endAgent('SIGKILL');
  t.deepEqual(await answers(machine, '10.96.0.2'), names.toSorted(), 'with no agent');
  await scene.startAgent({ under: machine });
  await scene.ready('web');
  t.deepEqual(await listed(machine, scene), rules, 'nothing twice');

  await scene.afterRevision(() => scene.write('apps.yaml', yaml(web(0), service())));
  await scene.until('no pod to be asked', async () => ((await listed(machine, scene)).length === 2 ? true : undefined));
  t.regex(await ask(machine, '10.96.0.2'), REFUSED);
  t.regex(await ask(machine, `127.0.0.1:${NODE_PORT}`), REFUSED);

  await scene.afterRevision(() => scene.write('apps.yaml', yaml(web(1))));
  await scene.ready('web');
  await scene.until('no rules', async () => ((await listed(machine, scene)).length === 0 ? true : undefined));
});
