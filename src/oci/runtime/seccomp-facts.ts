// What a tape is told of linux.seccomp, made once for create and exec.
import type { Seccomp } from './config.ts';
import type { Runtime } from './runtime.ts';
import { planSeccomp } from './seccomp-config.ts';
import type { SeccompFacts } from './seccomp-operations.ts';

/** The compiled filter and its flags. `directory` is the container's own. Throws OciError CONFIG_INVALID, or RangeError where the profile cannot be compiled. */
export function seccompFacts(runtime: Runtime, seccomp: Seccomp | undefined, directory: string): SeccompFacts {
  const plan = planSeccomp(seccomp);
  if (plan === undefined) return { seccompFilter: undefined, seccompFlags: 0 };
  const seccompFilter = runtime.seccompFilter(plan.profile, directory);
  return {
    seccompFilter,
    seccompFlags: plan.flags,
    seccompFlagNames: plan.flagNames,
    seccompListener: plan.listener !== undefined,
  };
}
