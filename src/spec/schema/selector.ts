// The selector of a workload: it must choose the pods of the workload's own template, and chooses nothing else here.
import * as z from 'zod';

import { checked, manifestObject, text, type Complaint } from './manifest-object.ts';
import { labels } from './metadata.ts';
import { labelValueProblem, qualifiedNameProblem } from './names.ts';

const expression = checked(
  manifestObject({
    key: text(qualifiedNameProblem),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(text(labelValueProblem)).nullish(),
  }),
  function* ({ operator, values }) {
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues && !values?.length) yield { path: [], message: `The operator '${operator}' needs values` };
    if (takesValues || !values?.length) return;
    yield { path: ['values'], message: `The operator '${operator}' takes no values`, part: 'key' };
  },
);

export const selector = manifestObject({
  matchLabels: labels.nullish(),
  matchExpressions: z.array(expression).nullish(),
});

type Selecting = {
  readonly selector: z.output<typeof selector>;
  readonly template: {
    readonly metadata: { readonly labels?: Readonly<Record<string, string>> | null | undefined };
  };
};

/** Complaints about a selector that chooses everything, or not the pods of its own template. */
export function* selectorComplaints({ selector: chosen, template }: Selecting): Iterable<Complaint> {
  const wanted = Object.entries(chosen.matchLabels ?? {});
  const expressions = chosen.matchExpressions ?? [];
  if (wanted.length + expressions.length === 0) {
    const path = chosen.matchLabels ? ['selector', 'matchLabels'] : ['selector'];
    yield { path, message: 'The selector must name at least one label' };
  }
  const own = template.metadata.labels ?? {};
  for (const [key, value] of wanted) {
    if (own[key] === value) continue;
    const message = "The template's metadata.labels do not have this label and value";
    yield { path: ['selector', 'matchLabels', key], message };
  }
  for (const [index, one] of expressions.entries()) {
    if (matches(one, own)) continue;
    const message = "The template's metadata.labels do not match this";
    yield { path: ['selector', 'matchExpressions', index], message };
  }
}

/** As Kubernetes: a label that is not there is in no list of values. */
function matches(
  { key, operator, values }: z.output<typeof expression>,
  own: Readonly<Record<string, string>>,
): boolean {
  const value = own[key];
  const isListed = value !== undefined && (values ?? []).includes(value);
  switch (operator) {
    case 'In':
      return isListed;
    case 'NotIn':
      return !isListed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}
