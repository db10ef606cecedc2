// A bundle: a directory with config.json and a root file system (bundle.md).
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { OciError, isOciError } from '../../oci/error.ts';
import { checkConfig } from '../../oci/runtime/check-config.ts';
import { parseConfigText } from '../../oci/runtime/config-text.ts';
import type { Process, RuntimeConfig } from '../../oci/runtime/config.ts';

export type Bundle = {
  readonly directory: string;
  readonly config: RuntimeConfig;
  readonly rootfs: string;
  /** What was left out of the configuration. */
  readonly warnings: readonly string[];
};

/** Read a bundle. Throws OciError CONFIG_INVALID that names the file and what is wrong with it. */
export function readBundle(path: string): Bundle {
  const directory = resolve(path);
  const file = join(directory, 'config.json');
  const value = parse(file);
  try {
    const { config, warnings } = checkConfig(value);
    return { directory, config, warnings, rootfs: resolve(directory, config.root.path) };
  } catch (error) {
    if (!isOciError(error, 'CONFIG_INVALID')) throw error;
    throw new OciError('CONFIG_INVALID', `${file}: ${error.message}`, { cause: error });
  }
}

function parse(file: string): unknown {
  try {
    return parseConfigText(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciError('CONFIG_INVALID', `Cannot read ${file}: ${reason}`, { cause: error });
  }
}

/** What is wrong with a process, or undefined. */
export function processProblem({ args, cwd }: Partial<Process>): string | undefined {
  if (!Array.isArray(args) || args.length === 0) return 'process.args is empty';
  if (typeof cwd !== 'string' || !cwd.startsWith('/')) return 'process.cwd is not an absolute path';
  return undefined;
}
