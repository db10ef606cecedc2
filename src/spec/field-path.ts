// The fields of a pod that an environment variable can take its value from (`valueFrom.fieldRef.fieldPath`).

const SIMPLE = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'status.podIP',
  'status.hostIP',
] as const;

/** What Kubernetes has besides. */
const NOT_YET: ReadonlySet<string> = new Set(['spec.serviceAccountName', 'status.podIPs', 'status.hostIPs']);

export type FieldPath =
  | { readonly field: (typeof SIMPLE)[number] }
  | { readonly field: 'metadata.labels' | 'metadata.annotations'; readonly key: string };

/** What the path names, or undefined when berth knows no such field. */
export function parseFieldPath(text: string): FieldPath | undefined {
  const field = SIMPLE.find((name) => name === text);
  if (field !== undefined) return { field };
  const [, map, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(text) ?? [];
  if (map === undefined || key === undefined) return undefined;
  return { field: map === 'labels' ? 'metadata.labels' : 'metadata.annotations', key };
}

/** What is wrong with a fieldPath, or undefined. */
export function fieldPathProblem(text: string): string | undefined {
  if (parseFieldPath(text) !== undefined) return undefined;
  if (NOT_YET.has(text)) return `Not supported yet: Kubernetes has the field '${text}' here, berth does not`;
  return `Unknown field path; berth knows ${SIMPLE.join(', ')}, metadata.labels['KEY'] and metadata.annotations['KEY']`;
}
