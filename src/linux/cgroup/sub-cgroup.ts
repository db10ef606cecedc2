// A process below a container's own cgroup: `exec --cgroup`. Pure.
import { unifiedHierarchy, type CgroupLayout, type Hierarchy } from './layout.ts';
import { CgroupError } from './error.ts';
import type { CgroupEntry } from './place.ts';

/** A path below the container's cgroup; of some controllers, or of all where none is named. */
export type SubCgroup = { readonly controllers: readonly string[]; readonly path: string };

/** Read `path` or `controller[,controller]:path`. Throws CgroupError PATH_INVALID where that leads out of the container's cgroup. */
export function parseSubCgroup(text: string): SubCgroup {
  const colon = text.indexOf(':');
  const controllers = colon === -1 ? [] : text.slice(0, colon).split(',');
  const segments = text.slice(colon + 1).split('/');
  if (segments.includes('..')) throw new CgroupError('PATH_INVALID', `'${text}' is not a sub cgroup path: it has '..'`);
  return { controllers, path: segments.filter((segment) => segment !== '' && segment !== '.').join('/') };
}

/**
 * How a process enters sub-cgroups of `path`, whose own entry is `entry`. Whether they exist is not looked at. Throws CgroupError
 * UNSUPPORTED when a controller is unknown, or the container has no cgroup of it.
 */
export function subCgroupEntry(
  { layout, path, entry }: { readonly layout: CgroupLayout; readonly path: string; readonly entry: CgroupEntry },
  wanted: readonly SubCgroup[],
): CgroupEntry {
  const unified = unifiedHierarchy(layout);
  const places = layout.hierarchies.map((hierarchy) => ({ hierarchy, directory: `${hierarchy.mountPoint}${path}` }));
  const used = places.filter(
    ({ directory }) => entry.bornIn === directory || entry.tasksFiles.includes(`${directory}/tasks`),
  );
  for (const { controllers } of wanted)
    for (const name of controllers)
      requireController(
        name,
        used.map(({ hierarchy }) => hierarchy),
      );
  const below = ({ hierarchy, directory }: (typeof used)[number]): string => {
    const found = wanted.findLast(
      ({ controllers }) => controllers.length === 0 || controllers.some((name) => has(hierarchy, name)),
    );
    return found === undefined || found.path === '' ? directory : `${directory}/${found.path}`;
  };
  const born = used.find(({ hierarchy }) => hierarchy === unified);
  return {
    tasksFiles: used.filter(({ hierarchy }) => hierarchy.version === 1).map((place) => `${below(place)}/tasks`),
    bornIn: born === undefined ? undefined : below(born),
  };
}

function requireController(name: string, hierarchies: readonly Hierarchy[]): void {
  if (hierarchies.some((hierarchy) => has(hierarchy, name))) return;
  throw new CgroupError('UNSUPPORTED', `Unknown controller '${name}': the container has no cgroup of it`);
}

/** By the name that the hierarchy has for it. */
function has({ controllers }: Hierarchy, name: string): boolean {
  return controllers.includes(name);
}
