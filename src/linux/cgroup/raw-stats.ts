// The numbers of one cgroup as the kernel's own files have them, for those who pass them on as they are.
import { directoryNames } from '../directory-names.ts';
import { parseFlatKeyed, readControlIfPresent } from './control-file.ts';
import { type CgroupLayout, type Controller, type Place } from './layout.ts';
import { everyPlace, placeOf } from './place.ts';

export type RawStats = {
  /** 1 or 2: which files the memory controller has. Undefined: there is none. */
  readonly memoryVersion: 1 | 2 | undefined;
  /** memory.stat. */
  readonly memory: ReadonlyMap<string, number>;
  /** Nanoseconds on each processor; v1 only. */
  readonly perCpu: readonly number[];
  /** The sizes of huge pages that this kernel has, as cgroups name them: `2MB`. */
  readonly pageSizes: readonly string[];
  /** One file of a controller, trimmed; undefined when it is not there. */
  readonly file: (controller: Controller, name: string) => string | undefined;
};

/** Read the cgroup `path`. Throws CgroupError PATH_INVALID. */
export function readRawStats(layout: CgroupLayout, path: string): RawStats {
  const places = everyPlace(layout, path);
  const file = (controller: Controller, name: string): string | undefined => readFile(places, controller, name);
  return {
    memoryVersion: placeOf(places, 'memory')?.hierarchy.version,
    memory: parseFlatKeyed(file('memory', 'memory.stat') ?? ''),
    perCpu: (file('cpuacct', 'cpuacct.usage_percpu') ?? '').split(' ').filter(Boolean).map(Number),
    pageSizes: pageSizes(),
    file,
  };
}

/** `hugepages-2048kB` is `2MB` in the names of files. */
function pageSizes(): readonly string[] {
  const names = directoryNames('/sys/kernel/mm/hugepages').map((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1]);
  return names.flatMap((kilobytes) => (kilobytes === undefined ? [] : [sizeName(Number(kilobytes))]));
}

function sizeName(kilobytes: number): string {
  const power = Math.min(2, Math.floor(Math.log2(kilobytes) / 10));
  return `${kilobytes / 1024 ** power}${['KB', 'MB', 'GB'][power]}`;
}

function readFile(places: readonly Place[], controller: Controller, name: string): string | undefined {
  const place = placeOf(places, controller);
  return place === undefined ? undefined : readControlIfPresent(`${place.directory}/${name}`)?.trim();
}
