// A bundle: a directory with config.json and a root file system (bundle.md).
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { OciError } from '../../oci/error.ts';
import type { Process, RuntimeConfig } from '../../oci/runtime/config.ts';

export type Bundle = { readonly directory: string; readonly config: RuntimeConfig; readonly rootfs: string };

/** Read a bundle. Throws OciError CONFIG_INVALID that names the file and what is wrong with it. */
export function readBundle(path: string): Bundle {
  const directory = resolve(path);
  const file = join(directory, 'config.json');
  const config = parse(file);
  const problem = problemOf(config);
  if (problem !== undefined) throw new OciError('CONFIG_INVALID', `${file}: ${problem}`);
  return { directory, config, rootfs: resolve(directory, config.root.path) };
}

function parse(file: string): RuntimeConfig {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RuntimeConfig;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('CONFIG_INVALID', `Cannot read ${file}: ${reason}`, { cause: error });
  }
}

function problemOf(config: Partial<RuntimeConfig> | null): string | undefined {
  if (typeof config !== 'object' || config === null) return 'not a JSON object';
  if (!/^1\.\d+\.\d+(-\S+)?$/.test(config.ociVersion ?? ''))
    return `ociVersion '${config.ociVersion ?? ''}' is not a 1.x version`;
  if (typeof config.root?.path !== 'string') return 'root.path is missing';
  return config.process === undefined ? undefined : processProblem(config.process);
}

/** What is wrong with a process, or undefined. */
export function processProblem({ args, cwd }: Partial<Process>): string | undefined {
  if (!Array.isArray(args) || args.length === 0) return 'process.args is empty';
  if (typeof cwd !== 'string' || !cwd.startsWith('/')) return 'process.cwd is not an absolute path';
  return undefined;
}
