// From what a person types to the container that is meant: `[namespace/]pod[/container]`, a workload with one pod, or the
// beginning of an id. Pure.
import { CommandFailure } from './failure.ts';

/** What a name is compared with. */
export type Named = {
  readonly id: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly workload: string;
};

const SHORTEST_ID = 4;
const HINT = 'berth ps -a lists the containers';

/**
 * Everything that `name` may mean: a container by its whole name, all containers of a pod or of a workload, or one by the
 * beginning of its id (four digits at least). The more exact kinds win: whole names over workloads, workloads over ids.
 */
export function matches<T extends Named>(name: string, candidates: readonly T[]): readonly T[] {
  const parts = name.split('/');
  if (parts.length > 3 || parts.includes('')) return [];
  const [first = '', second, third] = parts;
  if (third !== undefined) {
    return candidates.filter((one) => is(one, { namespace: first, pod: second, container: third }));
  }
  if (second !== undefined) {
    const found = candidates.filter(
      (one) => is(one, { namespace: first, pod: second }) || is(one, { pod: first, container: second }),
    );
    return found.length > 0 ? found : candidates.filter((one) => one.namespace === first && one.workload === second);
  }
  const pods = candidates.filter((one) => one.pod === first);
  if (pods.length > 0) return pods;
  const workloads = candidates.filter((one) => one.workload === first);
  if (workloads.length > 0) return workloads;
  return /^[0-9a-f]+$/.test(first) && first.length >= SHORTEST_ID
    ? candidates.filter(({ id }) => id.startsWith(first))
    : [];
}

/** The one container that `name` means. Throws CommandFailure when there is none, or more than one. */
export function oneMatch<T extends Named>(name: string, candidates: readonly T[]): T {
  const found = matches(name, candidates);
  const [first, ...others] = found;
  if (first === undefined) throw new CommandFailure(`There is no container '${name}'`, { hint: HINT });
  if (others.length === 0) return first;
  const names = found.map((one) => `${fullName(one)} (${shortId(one.id)})`);
  throw new CommandFailure(`'${name}' can mean ${found.length} containers: ${names.join(', ')}`, {
    hint: 'Write pod/container, namespace/pod/container, or the beginning of an id',
  });
}

/** What several names mean together, each container once. Throws CommandFailure when a name means none. */
export function allMatches<T extends Named>(names: readonly string[], candidates: readonly T[]): T[] {
  const chosen = new Map<string, T>();
  for (const name of names) {
    const found = matches(name, candidates);
    if (found.length === 0) throw new CommandFailure(`There is no container '${name}'`, { hint: HINT });
    for (const one of found) chosen.set(one.id, one);
  }
  return [...chosen.values()];
}

/** `namespace/pod/container`. */
export function fullName({ namespace, pod, container }: Named): string {
  return `${namespace}/${pod}/${container}`;
}

/** As much of an id as people need. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

type Parts = { readonly namespace?: string; readonly pod: string | undefined; readonly container?: string };

function is(one: Named, { namespace, pod, container }: Parts): boolean {
  return (
    one.pod === pod &&
    (namespace === undefined || one.namespace === namespace) &&
    (container === undefined || one.container === container)
  );
}
