// Links in the documents lead somewhere.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENTS = globSync('{*.md,docs/**/*.md,examples/**/*.md}', { cwd: ROOT });

type Link = { readonly from: string; readonly target: string };

function linksOf(document: string): Link[] {
  const text = readFileSync(join(ROOT, document), 'utf8').replaceAll(/^```.*?^```/gms, '');
  return [...text.matchAll(/\[[^\]]+\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ from: document, target }));
}

/** As GitHub makes them: lower case, spaces to hyphens, everything else that is no letter or digit dropped. */
function anchorsOf(document: string): string[] {
  return [...readFileSync(join(ROOT, document), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

test('every link to a file of the repository leads to one, and to a heading that it has', (t) => {
  const local = DOCUMENTS.flatMap(linksOf).filter(({ target }) => !/^[a-z]+:/.test(target));
  const broken = local.filter(({ from, target }) => {
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? from : join(dirname(from), file);
    if (!existsSync(join(ROOT, path))) return true;
    return anchor !== undefined && !anchorsOf(path).includes(anchor);
  });
  t.deepEqual(broken, []);
  t.true(local.length > 0);
});
