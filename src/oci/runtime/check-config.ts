// config.json as somebody wrote it → the configuration that the runtime acts on, or the name of what is wrong with it.
import { CAPABILITIES } from '../../linux/capability.ts';
import { RLIMITS } from '../../linux/rlimit.ts';
import { OciError } from '../error.ts';
import type { CapabilitySet, Process, RuntimeConfig } from './config.ts';
import { netDeviceNames } from './net-device-names.ts';
import { CONFIG, PROCESS } from './config-shape.ts';

/** `config` without what does not count; `warnings` say what that was. */
export type CheckedConfig = { readonly config: RuntimeConfig; readonly warnings: readonly string[] };

/** Check a configuration. Pure. Throws OciError CONFIG_INVALID that names the property. */
export function checkConfig(value: unknown): CheckedConfig {
  const present = withoutNulls(value);
  CONFIG(present, '');
  const config = present as RuntimeConfig;
  if (!/^1\.\d+\.\d+([-+]\S*)?$/.test(config.ociVersion))
    throw invalid(`ociVersion: '${config.ociVersion}' is not a 1.x version`);
  netDeviceNames(config.linux ?? {});
  if (config.process === undefined) return { config, warnings: [] };
  const { process, warnings } = checkProcess(config.process);
  return { config: { ...config, process }, warnings };
}

/** Tools that are written in Go write `null` for what is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const present = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(present.map(([name, item]) => [name, withoutNulls(item)]));
}

export type CheckedProcess = { readonly process: Process; readonly warnings: readonly string[] };

/** A process of `exec` as somebody wrote it: the same checks. Pure. Throws OciError CONFIG_INVALID that names the property. */
export function parseProcess(value: unknown): CheckedProcess {
  const present = withoutNulls(value);
  PROCESS(present, 'process');
  return checkProcess(present as Process);
}

/** What the types do not say. Pure. Throws OciError CONFIG_INVALID. */
export function checkProcess(process: Process): CheckedProcess {
  if (!Array.isArray(process.args) || process.args.length === 0)
    throw invalid('process.args is empty: there is no program to run');
  checkRlimits(process);
  const entries = Object.entries(process.capabilities ?? {}).filter(([, names]) => names !== null);
  const unknown = [...new Set(entries.flatMap(([, names]) => names.filter((name) => !isCapability(name))))];
  const known = entries.map(([set, names]) => [set, names.filter(isCapability)]);
  if (unknown.length === 0) return { process, warnings: [] };
  const capabilities = Object.fromEntries(known) as Partial<Record<CapabilitySet, readonly string[]>>;
  const warnings = unknown.map((name) => `process.capabilities: this Linux has no '${name}': left out`);
  return { process: { ...process, capabilities }, warnings };
}

function isCapability(name: string): boolean {
  return CAPABILITIES.includes(name);
}

function checkRlimits({ rlimits = [] }: Process): void {
  const seen = new Set<string>();
  for (const [index, { type, soft, hard }] of (rlimits ?? []).entries()) {
    const path = `process.rlimits[${index}]`;
    if (!Object.hasOwn(RLIMITS, type)) throw invalid(`${path}.type: Linux has no '${type}'`);
    if (seen.has(type)) throw invalid(`${path}.type: '${type}' stands twice`);
    if (soft > hard && hard !== -1) throw invalid(`${path}: the soft limit ${soft} is above the hard limit ${hard}`);
    seen.add(type);
  }
}

function invalid(message: string): OciError {
  return new OciError('CONFIG_INVALID', message);
}
