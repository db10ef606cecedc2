// A layer may have `tmp/x` without `tmp`: then `tmp` is only implied, and its attributes are meant to be those of the layers
// below. Other unpackers copy them from there while they unpack. berth shares an unpacked layer between images, which have
// different layers below, so it keeps a list of implied directories per layer and puts copies with the right attributes
// into the upper directory of the container. Pure.

/** What a layer (0 is the uppermost) has at a path. `opaque`: a directory that hides those of the layers below. */
export type NodeLookup = (layer: number, path: string) => 'missing' | 'directory' | 'opaque' | 'other';

/** Make `path` in the upper directory, with the attributes that it has in `layer`. */
export type DirectoryCopy = { readonly path: string; readonly layer: number };

/**
 * The directories to copy, parents first. `implied`: of each layer, the uppermost first, the paths that it implies. Those
 * of which no layer below has a description stay as they are.
 */
export function impliedCopies(implied: readonly (readonly string[])[], lookup: NodeLookup): DirectoryCopy[] {
  const sets = implied.map((paths) => new Set(paths));
  const cached = new Map<string, ReturnType<NodeLookup>>();
  const look: NodeLookup = (layer, path) => {
    const key = `${layer}/${path}`;
    const known = cached.get(key) ?? lookup(layer, path);
    cached.set(key, known);
    return known;
  };
  const copies = new Map<string, number>();
  for (const path of new Set(implied.flat())) {
    const having = path === '' ? [] : layersHaving(path, sets.length, look);
    const described = having.find((layer) => sets[layer]?.has(path) !== true);
    if (described === undefined || described === having[0]) continue;
    copies.set(path, described);
    for (const above of ancestors(path)) {
      const all = layersHaving(above, sets.length, look);
      const layer = all.find((candidate) => sets[candidate]?.has(above) !== true) ?? all[0];
      if (layer !== undefined) copies.set(above, layer);
    }
  }
  return [...copies].map(([path, layer]) => ({ path, layer })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The layers whose directories at `path` make up the merged one, uppermost first. */
function layersHaving(path: string, layers: number, look: NodeLookup): number[] {
  const having: number[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const { present, hides } = inLayer(layer, path, look);
    if (present) having.push(layer);
    if (hides) break;
  }
  return having;
}

/** Component by component, and no further than there are directories: what comes after a link is somewhere else. */
function inLayer(
  layer: number,
  path: string,
  look: NodeLookup,
): { readonly present: boolean; readonly hides: boolean } {
  let hides = false;
  for (const each of [...ancestors(path), path]) {
    const node = look(layer, each);
    if (node === 'missing') return { present: false, hides };
    if (node === 'other') return { present: false, hides: true };
    hides ||= node === 'opaque';
  }
  return { present: true, hides };
}

/** `a/b/c` is below `a` and `a/b`. */
function ancestors(path: string): string[] {
  const components = path.split('/').slice(0, -1);
  return components.map((_, index) => components.slice(0, index + 1).join('/'));
}
