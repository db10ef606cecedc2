// The configured sources, opened, and the hooks that make them look.
import { openSource } from '../reconcile/open-source.ts';
import { parseSource, type SourceConfig } from '../reconcile/parse-source.ts';
import type { Source } from '../reconcile/source.ts';
import { ConfigError, type AgentConfig } from './config.ts';

export type OpenedSource = { readonly source: Source; readonly kind: SourceConfig['kind'] };

/** A hook of `POST /hooks/NAME`: several sources may share one, say several directories of one repository. */
export type SourceHook = {
  readonly name: string;
  readonly secretFile: string;
  readonly sources: readonly Source[];
};

export type OpenedSources = { readonly sources: readonly OpenedSource[]; readonly hooks: readonly SourceHook[] };

/** Throws an Error about a text that names no source, and ConfigError about hooks that contradict each other. */
export function openSources({ sources, pollSeconds, places, listen }: AgentConfig): OpenedSources {
  const options = { root: places.root, intervalMs: pollSeconds * 1000 };
  const opened = sources.map((text) => ({ source: openSource(text, options), config: parseSource(text) }));
  const hooks = new Map<string, SourceHook>();
  for (const { source, config } of opened) {
    if (config.kind !== 'git') continue;
    const { hook: name, hookSecret: secretFile } = config.settings;
    if (name === undefined || secretFile === undefined) continue;
    const before = hooks.get(name);
    if (before !== undefined && before.secretFile !== secretFile) {
      throw new ConfigError(`The hook '${name}' has two secrets, ${before.secretFile} and ${secretFile}`);
    }
    hooks.set(name, { name, secretFile, sources: [...(before?.sources ?? []), source] });
  }
  if (hooks.size > 0 && listen === undefined) throw new ConfigError('A source has a hook, which needs --listen');
  return { sources: opened.map(({ source, config: { kind } }) => ({ source, kind })), hooks: [...hooks.values()] };
}
