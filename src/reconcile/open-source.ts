// From the argument of `--source` to the source itself.
import { DirectorySource } from './directory-source.ts';
import { gitSourceName, parseSource, type GitConfig } from './parse-source.ts';
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
  return config.kind === 'directory' ? new DirectorySource(config.path) : gitSource(config, options);
}

/** All that Git needs is loaded when the source is read first: an agent of directories never loads it. */
function gitSource(config: GitConfig, options: OpenSourceOptions): Source {
  let opened: Promise<Source> | undefined;
  const open = () =>
    (opened ??= import('./git-source.ts').then(({ GitSource }) => new GitSource({ config, ...options })));
  return {
    name: gitSourceName(config),
    revisions: async function* (signal) {
      const source = await open();
      yield* source.revisions(signal);
    },
    read: async (signal) => (await open()).read(signal),
    applied: async (revision, signal) => (await open()).applied?.(revision, signal),
    hurry: () => void open().then((source) => source.hurry?.()),
  };
}
