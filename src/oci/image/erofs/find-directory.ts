// Paths in a layer's tree, as openat2(2) resolves them with RESOLVE_IN_ROOT: symbolic links lead anywhere within the layer and
// nowhere else. Pure.
import type { DirectoryNode, TreeNode } from './tree-node.ts';

/** path_resolution(7): more links in one path are taken for a loop. */
const MOST_LINKS = 40;

/** The directory at a path, links followed. `missing`: there is none. `loop`: too many links. */
export function findDirectory(root: DirectoryNode, path: string): DirectoryNode | 'missing' | 'loop' {
  let at: TreeNode = root;
  let links = 0;
  /** What is left to walk, the next component last. */
  const rest = path.split('/').toReversed();
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.parent;
      continue;
    }
    const next = at.children.get(name);
    if (next === undefined) return 'missing';
    if (next.kind === 'directory') at = next;
    else if (next.kind !== 'symlink') return 'missing';
    else if (++links > MOST_LINKS) return 'loop';
    else {
      if (next.target.startsWith('/')) at = root;
      rest.push(...next.target.split('/').toReversed());
    }
  }
  return at;
}
