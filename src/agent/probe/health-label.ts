// The probes and hooks of a container as a label of its record: whoever finds the container on this machine, such as the next agent,
// knows how to ask it and how to end it, also when its manifest is gone.
import type { HealthSpec } from '../../spec/health.ts';

const LABEL = 'berth.health';

type Labels = Readonly<Record<string, string>>;

/** None for a container without probes and hooks. */
export function healthLabels(health: HealthSpec | undefined): Labels {
  return health === undefined ? {} : { [LABEL]: JSON.stringify(health) };
}

/** The reverse: labels are written by berth alone. */
export function healthOfLabels(labels: Labels): Partial<HealthSpec> {
  const text = labels[LABEL];
  return text === undefined ? {} : (JSON.parse(text) as Partial<HealthSpec>);
}
