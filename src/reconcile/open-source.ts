// From the argument of `--source` to the source itself.
import { DirectorySource } from './directory-source.ts';
import { GitSource } from './git-source.ts';
import { parseSource } from './parse-source.ts';
import type { Source } from './source.ts';

export type OpenSourceOptions = {
  /** The durable root: what is fetched is kept there. */
  readonly root: string;
  /** How often a Git repository is asked, in milliseconds. */
  readonly intervalMs?: number;
};

/** The source that `text` names: a directory or a Git repository. Throws an Error about a text that names neither. */
export function openSource(text: string, options: OpenSourceOptions): Source {
  const config = parseSource(text);
  return config.kind === 'directory' ? new DirectorySource(config.path) : new GitSource({ config, ...options });
}
