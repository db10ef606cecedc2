// Carry out a plan. No decisions live here: a behaviour worth testing belongs in the planner.
import type { Effects, Step, StepKind } from './effects.ts';
import { standsInTheWay } from './failure.ts';

export type ExecuteOptions = {
  readonly effects: Effects;
  /** Begins a pull and returns: a slow pull holds up nothing. */
  readonly beginPull: (step: Step<'pullImage'>) => void;
  readonly onDone: (step: Step, durationMs: number) => void;
  readonly onFailed: (step: Step, error: unknown) => void;
  readonly signal: AbortSignal;
};

/**
 * Carry out the steps in order, neighbouring stops side by side. A step that fails takes with it those after it that
 * depend on it, and no others. Ends early at `lookAgain` and after the pulls: what follows is for another look.
 * Never rejects for a failed step; rejects when `signal` aborts.
 */
export async function execute(steps: readonly Step[], options: ExecuteOptions): Promise<void> {
  const skipped: Step[] = [];
  let pulling = false;
  for (const batch of batches(steps)) {
    const kind = batch[0]?.do;
    if (kind === 'lookAgain' || (pulling && kind !== 'pullImage')) return;
    pulling = kind === 'pullImage';
    options.signal.throwIfAborted();
    const failed = await Promise.all(batch.map((step) => attempt(step, skipped, options)));
    skipped.push(...batch.filter((_, index) => failed[index]));
  }
}

/** Runs of stops and single other steps, in order. */
function batches(steps: readonly Step[]): Step[][] {
  const found: Step[][] = [];
  for (const step of steps) {
    const last = found.at(-1);
    if (step.do === 'stopContainer' && last?.[0]?.do === 'stopContainer') last.push(step);
    else found.push([step]);
  }
  return found;
}

/** Whether the step failed or was skipped. */
async function attempt(step: Step, skipped: readonly Step[], options: ExecuteOptions): Promise<boolean> {
  if (skipped.some((earlier) => standsInTheWay(earlier, step))) return true;
  const begin = performance.now();
  try {
    await perform(step, options);
  } catch (error) {
    options.signal.throwIfAborted();
    options.onFailed(step, error);
    return true;
  }
  if (step.do !== 'pullImage') options.onDone(step, performance.now() - begin);
  return false;
}

function perform(step: Step, options: ExecuteOptions): Promise<void> {
  if (step.do === 'lookAgain') return Promise.resolve();
  if (step.do === 'pullImage') return Promise.resolve(options.beginPull(step));
  return carryOut(step, options.effects, options.signal);
}

type ActingKind = Exclude<StepKind, 'lookAgain' | 'pullImage'>;

function carryOut<K extends ActingKind>(step: Step<K>, effects: Effects, signal: AbortSignal): Promise<void> {
  const effect: Effects[K] = effects[step.do];
  return effect(step, signal);
}
