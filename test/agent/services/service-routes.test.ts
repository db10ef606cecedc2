import test from 'ava';

import { serviceRoutes, type ReadyPod } from '../../../src/agent/services/service-routes.ts';
import type { ContainerPort, Service } from '../../../src/spec/model.ts';

const position = { file: 'web.yaml', line: 1, column: 1 };
const addresses = new Map([['default/web', '10.96.0.2']]);

function service(targetPort: number | string): Service {
  const ports = [{ port: 80, targetPort, nodePort: undefined, protocol: 'TCP' as const }];
  return { namespace: 'default', name: 'web', selector: { app: 'web', tier: 'front' }, ports, position };
}

function pod(address: string, fields: Partial<ReadyPod> = {}): ReadyPod {
  const port: ContainerPort = {
    name: 'http',
    containerPort: 8080,
    hostPort: undefined,
    hostIP: undefined,
    protocol: 'TCP',
  };
  const labels = { app: 'web', tier: 'front', more: 'x' };
  return { namespace: 'default', labels, address, ports: [port], ...fields };
}

test('a route leads to every pod of the namespace that has all labels, in one order', (t) => {
  const pods = [
    pod('10.88.0.3'),
    pod('10.88.0.2'),
    pod('10.88.0.4', { namespace: 'other' }),
    pod('10.88.0.5', { labels: { app: 'web' } }),
  ];
  const [route] = serviceRoutes([service(8080)], pods, addresses);
  t.deepEqual(route, {
    service: 'default/web',
    clusterIP: '10.96.0.2',
    port: 80,
    nodePort: undefined,
    protocol: 'TCP',
    endpoints: [
      { address: '10.88.0.2', port: 8080 },
      { address: '10.88.0.3', port: 8080 },
    ],
  });
});

test('a named target port is looked up in each pod, and a pod without it left out', (t) => {
  const pods = [pod('10.88.0.2'), pod('10.88.0.3', { ports: [] })];
  const [route] = serviceRoutes([service('http')], pods, addresses);
  t.deepEqual(route?.endpoints, [{ address: '10.88.0.2', port: 8080 }]);
});

test('a Service without an address has no route', (t) => {
  t.deepEqual(serviceRoutes([service(80)], [pod('10.88.0.2')], new Map()), []);
});
