// Where Services lead: from what is declared and which pods are ready to what the packet filter is told. Pure.
import type { Endpoint, ServiceRoute } from '../../oci/network/service-rules.ts';
import type { ContainerPort, Service, ServicePort } from '../../spec/model.ts';

/** A pod that can be asked. */
export type ReadyPod = {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  readonly ports: readonly ContainerPort[];
};

/** A route per port of every Service that has an address. Endpoints are sorted: equal facts make equal routes. */
export function serviceRoutes(
  services: readonly Service[],
  pods: readonly ReadyPod[],
  addresses: ReadonlyMap<string, string>,
): ServiceRoute[] {
  return services.flatMap((service) => {
    const clusterIP = addresses.get(serviceName(service));
    if (clusterIP === undefined) return [];
    const selected = pods.filter((pod) => selects(service, pod));
    return service.ports.map((port) => ({
      service: serviceName(service),
      clusterIP,
      port: port.port,
      nodePort: port.nodePort,
      protocol: port.protocol,
      endpoints: selected.flatMap((pod) => endpointOf(port, pod)).sort((a, b) => (a.address < b.address ? -1 : 1)),
    }));
  });
}

/** `namespace/name`. */
export function serviceName({ namespace, name }: Pick<Service, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function selects({ namespace, selector }: Service, pod: ReadyPod): boolean {
  return pod.namespace === namespace && Object.entries(selector).every(([key, value]) => pod.labels[key] === value);
}

/** A pod without a port of that name is left out, as in Kubernetes. */
function endpointOf({ targetPort, protocol }: ServicePort, { address, ports }: ReadyPod): Endpoint[] {
  if (typeof targetPort === 'number') return [{ address, port: targetPort }];
  const named = ports.find((port) => port.name === targetPort && port.protocol === protocol);
  return named === undefined ? [] : [{ address, port: named.containerPort }];
}
