// Which modules a program of ours loads: what start-up time and an agent's memory depend on, without a clock.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const RECORDER = new URL('record-modules.js', import.meta.url).href;

export type LoadedModules = {
  /** Files of ours: `src/cli/main.ts`. */
  readonly own: readonly string[];
  /** Packages: `zod`. */
  readonly packages: ReadonlySet<string>;
  /** Node's own, beyond those that every program loads: `crypto`, `internal/deps/undici/undici`. */
  readonly builtins: ReadonlySet<string>;
};

/** Run `node ...args` to its end, whatever that is, and say what it loaded. */
export function loadedModules(args: readonly string[]): LoadedModules {
  const directory = mkdtempSync(join(tmpdir(), 'berth-modules-'));
  const record = join(directory, 'modules.json');
  try {
    const env = { ...process.env, RECORD_MODULES: record };
    spawnSync(process.execPath, ['--import', RECORDER, ...args], { cwd: fileURLToPath(ROOT), env, stdio: 'ignore' });
    const { files, builtins } = JSON.parse(readFileSync(record, 'utf8')) as Record<'files' | 'builtins', string[]>;
    const paths = files.map((url) => url.slice(ROOT.href.length));
    return {
      own: paths.filter((path) => path.startsWith('src/')),
      packages: new Set(paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])),
      builtins: new Set(builtins),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
