// Services brought about on this machine: addresses, ready pods, rules.
import type { Host } from '../../oci/host.ts';
import { enableHairpin } from '../../oci/network/hairpin.ts';
import { assignServiceAddresses } from '../../oci/network/service-address.ts';
import { serviceRules } from '../../oci/network/service-rules.ts';
import { syncServiceRules } from '../../oci/network/service-table.ts';
import { listSandboxes } from '../../oci/pod/sandbox.ts';
import type { ActualPod } from '../../reconcile/effects.ts';
import type { Desired, PodSpec } from '../../spec/model.ts';
import { podsOf, type HealthOf } from '../machine/observer.ts';
import { serviceDirectory } from './service-directory.ts';
import { serviceName, serviceRoutes, type ReadyPod } from './service-routes.ts';

export type ServiceFacts = {
  readonly declared: readonly Desired[];
  /** Whether `declared` is all that is wanted: before that no address is given back. */
  readonly isComplete: boolean;
  readonly healthOf: HealthOf;
};

/** Make Services be as declared. Rejects with an OciError or SyscallError. */
export async function syncServices(host: Host, { declared, isComplete, healthOf }: ServiceFacts): Promise<void> {
  const services = [
    ...new Map(
      declared
        .flatMap((desired) => desired.services)
        .toReversed()
        .map((service) => [serviceName(service), service]),
    ).values(),
  ];
  const { bridge, directory } = services.length === 0 ? host.networkPlan : await host.network();
  const names = services.map(serviceName);
  const { subnet, addresses } = assignServiceAddresses(serviceDirectory(host), names, { release: isComplete });
  const routes = serviceRoutes(services, readyPods(host, declared, healthOf), addresses);
  if (!syncServiceRules(bridge, serviceRules(routes, subnet))) return;
  enableHairpin(directory, new Set(routes.flatMap(({ endpoints }) => endpoints.map(({ address }) => address))));
}

function readyPods(host: Host, declared: readonly Desired[], healthOf: HealthOf): ReadyPod[] {
  const specs = new Map(
    declared
      .flatMap(({ workloads }) => workloads)
      .map(({ kind, namespace, name, pod }) => [`${kind} ${namespace}/${name}`, pod]),
  );
  const addresses = new Map(listSandboxes(host).map(({ uid, pinned }) => [uid, pinned?.ipv4]));
  return podsOf(host).flatMap((pod) => {
    const spec = specs.get(`${pod.workload.kind} ${pod.workload.namespace}/${pod.workload.name}`);
    const address = addresses.get(pod.uid);
    if (spec === undefined || address === undefined || !isPodReady(pod, spec, healthOf)) return [];
    return [{ namespace: pod.namespace, labels: spec.labels, address, ports: spec.containers.flatMap((c) => c.ports) }];
  });
}

/** Every container that runs for the pod's whole life does run, and no probe says that it is not ready. */
function isPodReady(pod: ActualPod, spec: PodSpec, healthOf: HealthOf): boolean {
  if (pod.sandbox !== 'ready') return false;
  return spec.containers
    .filter(({ role }) => role !== 'init')
    .every(({ name }) =>
      pod.containers.some((one) => one.name === name && one.state === 'running' && healthOf(one.id)?.isReady !== false),
    );
}
