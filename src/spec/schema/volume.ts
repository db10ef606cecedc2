// Volume and VolumeMount.
import * as z from 'zod';

import type { HostPathType } from '../model.ts';
import { quoted } from '../quoted-text.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, exactlyOneOf, manifestObject, text, type Complaint } from './manifest-object.ts';
import { configKeyProblem, labelNameProblem, subdomainProblem } from './names.ts';
import { absolutePathProblem, mountPathProblem, normalizedPath, relativePathProblem } from './paths.ts';
import { byteCount } from './resources.ts';

const HOST_PATH_TYPES = [
  '',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
  'CharDevice',
  'BlockDevice',
] as const satisfies readonly HostPathType[];

const mode = checked(z.number(), function* (value) {
  if (Number.isSafeInteger(value) && value >= 0 && value <= 0o777) return;
  yield { path: [], message: 'Expected permission bits from 0 to 0o777 (511 as a decimal)' };
});

/** Kubernetes keeps `..data` and its like beside the files, so no path begins with `..`. */
function itemPathProblem(path: string): string | undefined {
  if (path.startsWith('..')) return "The path must not begin with '..'";
  if (path !== '' && normalizedPath(path) === '') return `${quoted(path)} is no path of a file`;
  return relativePathProblem(path);
}

const item = manifestObject({ key: text(configKeyProblem), path: text(itemPathProblem), mode: mode.nullish() });

const items = checked(z.array(item), function* (entries): Iterable<Complaint> {
  const files = new Set<string>();
  const directories = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const path = normalizedPath(entry.path);
    const parents = parentsOf(path);
    if (files.has(path) || directories.has(path) || parents.some((parent) => files.has(parent))) {
      yield { path: [index, 'path'], message: 'The path collides with that of an entry above' };
    }
    files.add(path);
    for (const parent of parents) directories.add(parent);
  }
});

/** `a/b/c` is in `a` and in `a/b`. */
function parentsOf(path: string): readonly string[] {
  const steps = path.split('/');
  return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join('/'));
}

const configOptions = { items: items.nullish(), defaultMode: mode.nullish(), optional: z.boolean().nullish() };

const emptyDir = checked(
  manifestObject({ medium: text().nullish(), sizeLimit: byteCount.nullish() }),
  function* ({ medium }) {
    if (medium === undefined || medium === null || medium === '' || medium === 'Memory') return;
    const message = medium.startsWith('HugePages') ? "Not supported yet: berth knows '' and 'Memory'" : undefined;
    yield { path: ['medium'], message: message ?? "Expected '' or 'Memory'" };
  },
);

export const volume = exactlyOneOf(
  manifestObject(
    {
      name: text(labelNameProblem),
      emptyDir: emptyDir.nullish(),
      hostPath: manifestObject({ path: text(absolutePathProblem), type: z.enum(HOST_PATH_TYPES).nullish() }).nullish(),
      configMap: manifestObject(
        { name: text(subdomainProblem), ...configOptions },
        { notYet: [], renamed: { secretName: 'name' } },
      ).nullish(),
      secret: manifestObject(
        { secretName: text(subdomainProblem), ...configOptions },
        { notYet: [], renamed: { name: 'secretName' } },
      ).nullish(),
      persistentVolumeClaim: manifestObject(
        { claimName: text(subdomainProblem), readOnly: z.boolean().nullish() },
        { notYet: [], renamed: { name: 'claimName' } },
      ).nullish(),
    },
    { notYet: NOT_YET.volume },
  ),
  ['emptyDir', 'hostPath', 'configMap', 'secret', 'persistentVolumeClaim'],
);

const subPath = text((path) => (path === '' ? undefined : relativePathProblem(path)));

export const volumeMount = checked(
  manifestObject({
    name: text(labelNameProblem),
    mountPath: text(mountPathProblem),
    readOnly: z.boolean().nullish(),
    subPath: subPath.nullish(),
    subPathExpr: subPath.nullish(),
    mountPropagation: z.enum(['None', 'HostToContainer', 'Bidirectional']).nullish(),
    recursiveReadOnly: z.enum(['Disabled', 'IfPossible', 'Enabled']).nullish(),
  }),
  function* ({ subPath: plain, subPathExpr }) {
    if (!plain || !subPathExpr) return;
    yield { path: ['subPathExpr'], message: 'Give subPath or subPathExpr, not both', part: 'key' };
  },
);

export type VolumeManifest = z.output<typeof volume>;
export type VolumeMountManifest = z.output<typeof volumeMount>;
