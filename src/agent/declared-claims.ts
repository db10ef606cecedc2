// The PersistentVolumeClaims that the agent's records on disk declare: data that is still wanted though nothing runs on it.
import { join } from 'node:path';

import { readRecords } from '../reconcile/desired-record.ts';
import { loadManifests } from '../spec/load.ts';

/**
 * `namespace/name` of every claim of the last two accepted revisions. Rejects with an Error where a record cannot be
 * used: what is declared is not known then.
 */
export async function declaredClaims(root: string): Promise<ReadonlySet<string>> {
  const { current, previous, problems } = await readRecords(join(root, 'desired'));
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  const sources = [current, previous].flatMap((record) => record?.sources ?? []);
  const claims = sources.flatMap(({ source, files }) => {
    const loaded = loadManifests(files);
    if ('desired' in loaded) return loaded.desired.claims;
    throw new Error(
      `Cannot tell what ${source} declares: ${loaded.errors[0]?.message ?? 'its manifests have mistakes'}`,
    );
  });
  return new Set(claims.map(({ namespace, name }) => `${namespace}/${name}`));
}
